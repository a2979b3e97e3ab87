-- Images that are tiny, huge, or more than three times as long as wide.
SELECT image_id, width, height, size
FROM images
WHERE width < 64 OR height < 64 OR width > 20000 OR height > 20000 OR width > 3 * height OR height > 3 * width
ORDER BY image_id
