-- Images and bytes per month in which they were taken.
SELECT substr(taken_at, 1, 7) AS month, count(*) AS images, sum(size) AS bytes
FROM images
WHERE taken_at IS NOT NULL
GROUP BY substr(taken_at, 1, 7)
ORDER BY month
