"""The invariant of the whole product: catalogue, indexes and counters equal the bucket."""

from __future__ import annotations

from collections import Counter
from typing import Any

from image_catalogue.dynamodb import COUNTER_PREFIX, amounts_of, from_dynamodb
from image_catalogue.items import contribution, is_record

_INDEXES = {"by_uploaded_at": ("shard", "uploaded_key"), "by_size": ("size_shard", "size_key")}


def differences(
    s3: Any, dynamodb: Any, bucket: str, table: str, forgotten: frozenset[str] = frozenset()
) -> list[str]:
    """Every way in which the table is not what the bucket calls for; `forgotten` are keys whose record was deleted."""
    objects = {
        entry["Key"]: entry
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="uploads/")
        for entry in page.get("Contents", [])
        if not entry["Key"].endswith("/")
    }
    items = _scan(dynamodb, table)
    counters = [item for item in items if item["image_id"].startswith(COUNTER_PREFIX)]
    records = {item["image_id"]: item for item in items if is_record(item)}
    found = []
    for key in sorted(objects.keys() | records.keys()):
        if key in objects and key in forgotten:
            if key in records:
                found.append(f"{key}: forgotten, and back")
        elif key not in records:
            found.append(f"{key}: in the bucket, not in the catalogue")
        elif key not in objects:
            found.append(f"{key}: in the catalogue, not in the bucket")
        elif (records[key]["etag"], records[key]["size"]) != (
            objects[key]["ETag"].strip('"'),
            objects[key]["Size"],
        ):
            found.append(f"{key}: the record is of other bytes than the bucket holds")
    found += _counter_differences(records, counters)
    for index, (hash_key, sort_key) in _INDEXES.items():
        listed = {item["image_id"]: item["revision"] for item in _scan(dynamodb, table, IndexName=index)}
        if listed != {key: item["revision"] for key, item in records.items()}:
            found.append(f"{index}: holds other items than the table has records")
        found += [
            f"{key}: no {sort_key}"
            for key, item in records.items()
            if not (item[hash_key] and item[sort_key])
        ]
    return found


def _counter_differences(records: dict[str, Any], counters: list[Any]) -> list[str]:
    wanted: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for item in records.values():
        wanted.update(contribution(item))
    for counter in counters:
        held.update(amounts_of(counter))
    return [
        f"counter {name}: {held[name]}, and the records say {wanted[name]}"
        for name in sorted(wanted.keys() | held.keys())
        if wanted[name] != held[name]
    ]


def _scan(dynamodb: Any, table: str, **more: Any) -> list[Any]:
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, **more)
    return [from_dynamodb(attributes) for page in pages for attributes in page["Items"]]
