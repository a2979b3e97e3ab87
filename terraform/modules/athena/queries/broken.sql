-- What is no image, or a broken one, and why.
SELECT image_id, status, size, error
FROM images
WHERE status <> 'ok'
ORDER BY status, image_id
