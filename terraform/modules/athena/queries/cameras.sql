-- Images per camera, and when it was first and last used.
SELECT camera.make AS make, camera.model AS model, count(*) AS images, min(taken_at) AS first, max(taken_at) AS latest
FROM images
WHERE camera.make IS NOT NULL OR camera.model IS NOT NULL
GROUP BY camera.make, camera.model
ORDER BY images DESC, make, model
