"""The catalogue as columns: a snapshot in Parquet and the changes since, kept in S3 and asked by DuckDB.

`columns` is the one vocabulary, `snapshot` writes, merges and reads the files, `query` turns a request into SQL.
"""
