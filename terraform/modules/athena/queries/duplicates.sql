-- Objects with the same bytes, those that waste most first.
SELECT size, etag, count(*) AS images, size * (count(*) - 1) AS wasted_bytes, min(image_id) AS one_of_them
FROM images
WHERE size > 0
GROUP BY size, etag
HAVING count(*) > 1
ORDER BY wasted_bytes DESC, etag
