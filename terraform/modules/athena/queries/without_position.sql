-- Images per camera that state no position.
SELECT camera.model AS model, count(*) AS images
FROM images
WHERE status = 'ok' AND NOT coalesce(has_gps, false)
GROUP BY camera.model
ORDER BY images DESC, model
