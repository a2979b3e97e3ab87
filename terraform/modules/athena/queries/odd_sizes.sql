-- Images that are tiny, huge, or four times as long as wide or more; GET /report calls the same tiny and odd.
SELECT image_id, width, height, size
FROM images
WHERE (width < 64 AND height < 64)
    OR width > 20000 OR height > 20000
    OR (width >= 4 * height AND height > 0)
    OR (height >= 4 * width AND width > 0)
ORDER BY image_id
