"""Run the benchmarks and write docs/benchmarks.md with its plots: ``make bench``. Some minutes on two idle cores."""

from __future__ import annotations

import datetime
import os
import platform
import sys
from pathlib import Path
from xml.sax.saxutils import escape

import boto3
import PIL

from tests.benchmarks import cold_start, counters, deployment, extraction, month, reads, write_path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "benchmarks"
#: Numbers of records; larger ones take the local AWS long.
READ_SIZES = [100, 3_000]
BAR, LABEL, WIDTH = 22, 240, 520

TEXT = """# Benchmarks

Written by `make bench`; edit `tests/benchmarks/`, not this. Every figure of a peer was measured in the same run.

{machine}

## Reading an image

The whole object and Pillow is what most tutorials do. A ratio above 1 is in our favour; `imagesize` reads a size and
nothing else. "From S3" adds 15 ms a request and 80 MB a second to the processor time, one image after the other. "Ten
at a time" is measured beside it: in ten threads, as `s3_file_event` reads a batch, whose requests wait as long and
share one network of as much. Memory is what Python holds at most, the object included; what libvips allocates beside
it is not seen.

![Images a second from S3, 12 megapixels](benchmarks/extraction.svg)

{extraction}

A GIF's number of frames stands nowhere: it is read to its end, so it gains nothing over a download.

{folder}
## An event, from queue to catalogue

The function's code against a local AWS, per image; processor time is the function's alone. Dollars are list
prices ({prices}) for requests, units, processor time at
{memory:.0f} GB with round trips of 15 ms, and log lines. The usual handler is called by S3 for each notification,
without a queue, reads the whole object with Pillow and puts one item; it keeps no order, no counters and no index: it
cannot list by time, sum up, or survive events out of order. The last line is a measure of the machine: one read of a
range by boto3's client and nothing else.

![US dollars per million new images](benchmarks/write_path.svg)

{write_path}

New images, US$ per million by service:

{dollars}

A month of {new_images:,} new images in batches of 10, {records:,} in the catalogue and {questions:,} questions such as
"a camera, two months, by date", at list prices. Ours answers each with nothing in memory here, which is the dearest;
its alarms are most of what it costs idle (`monitoring = false`: none). The usual handler's table, with the few fields
that it stores, answers a question by a scan of all of it. S3 Metadata with Athena knows what S3 knows of an object, and
nothing of what is in the image; what its tables take to keep is not counted, and a question scans the least that Athena
charges for.

{month}

## Reading the catalogue

Read units against a local AWS. `make bench-reads` measures 200,000 and more: the same at 1,000,000. How long search
takes over 1 and 10 million images is in [search.md](search.md#how-fast).

{reads}

## Counters

DynamoDB's rule is that two transactions never change one item at a time. A transaction takes 10 ms here, and functions
always have work: by a model, and by the catalogue's own code in as many threads against a table in memory that takes
this time and refuses what DynamoDB refuses. Time runs {slowed} times slower there, since one processor does the
work of all the functions; the last column says how busy it was nevertheless. One image a transaction is what the
catalogue did before it wrote batches, and what it does for images that come alone: `counter_shards` is for those.

{counters}

## Cold starts

Processor time of imports and clients, in a new interpreter, from the very zip; Lambda gives it a whole core. The
functions that only read also answer a first request; boto3's reads the image's item from the table.

{cold_start}

## Deploying

`deploy.sh` onto a local AWS, whose own work is in these seconds.

{deployment}

What the suites last took on this machine:

{suites}
"""

FOLDER = """The files below `{name}` that both read, beside the whole object and Pillow
(`BENCH_IMAGES=folder make bench` takes any folder). A first request fetches most of such small files whole.

{table}
"""
NO_FOLDER = "`BENCH_IMAGES=folder make bench` also reads your own files.\n"


def machine() -> str:
    """Where and when this ran."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        )
        if Path("/proc/cpuinfo").exists()
        else iter(()),
        platform.processor(),
    )
    return (
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}; {os.cpu_count()} x {model}, load "
        f"{os.getloadavg()[0]:.1f}; Python {platform.python_version()}, boto3 {boto3.__version__}, "
        f"Pillow {PIL.__version__}."
    )


def plot(title: str, values: dict[str, float], digits: int) -> str:
    """Horizontal bars as an SVG, readable on light and dark pages."""
    height, top = BAR * len(values) + 40, max(values.values())
    rows = []
    for number, (name, value) in enumerate(values.items()):
        y = 32 + number * BAR
        length = max(2, round((WIDTH - 60) * value / top))
        rows.append(
            f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{LABEL}" y="{y + 2}" width="{length}" height="{BAR - 6}" fill="#3b82f6"/>'
            f'<text x="{LABEL + length + 6}" y="{y + 14}">{value:,.{digits}f}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + WIDTH}" height="{height}" role="img" '
        f'font-family="sans-serif" font-size="13" fill="#888"><title>{escape(title)}</title>'
        f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>{"".join(rows)}</svg>\n'
    )


def main() -> int:
    """Measure everything and write the document."""
    begun = machine()
    folder = os.environ.get("BENCH_IMAGES", "")
    if folder and not Path(folder).is_dir():
        print(f"BENCH_IMAGES is no folder: {folder}", file=sys.stderr)
        return 2
    print("extraction ...", flush=True)
    readings = extraction.run()
    found = extraction.run_folder(Path(folder)) if folder else {}
    name = "/".join(Path(folder).parts[-3:])
    print("write path ...", flush=True)
    costs = write_path.run()
    print("reads ...", flush=True)
    with write_path.local_aws():
        read_units = reads.measure(boto3.client("dynamodb"), READ_SIZES)
    print("counters ...", flush=True)
    counter_table = counters.table()
    print("cold starts ...", flush=True)
    starts = cold_start.run()
    print("deployment ...", flush=True)
    steps = deployment.run()
    PLOTS.mkdir(exist_ok=True)
    twelve = {
        f"{format_name}, {name}": 1 / reading.seconds_from_s3
        for (format_name, megapixels), row in readings.items()
        if megapixels == 12
        for name, reading in row.items()
        if name in ("image_metadata", "whole object + Pillow")
    }
    (PLOTS / "extraction.svg").write_text(plot("Images a second from S3, 12 megapixels", twelve, 1))
    created = {who: cost.dollars_per_million() for (who, kind), cost in costs.items() if kind == "created"}
    sums = {who: sum(parts.values()) for who, parts in created.items()}
    (PLOTS / "write_path.svg").write_text(plot("US$ per million new images", sums, 2))
    services = list(next(iter(created.values())))
    dollars = [f"| | {' | '.join(services)} | all |", f"|---|{'---:|' * (len(services) + 1)}"]
    dollars += [
        f"| {who} | {' | '.join(f'{parts[name]:.2f}' for name in services)} | {sums[who]:.2f} |"
        for who, parts in created.items()
    ]
    document = TEXT.format(
        machine=begun,
        extraction=extraction.table(readings),
        folder=FOLDER.format(name=name, table=extraction.folder_table(found)) if found else NO_FOLDER,
        prices="us-east-1, 2026-11, tests/benchmarks/prices.toml",
        memory=write_path.MEMORY_GB,
        write_path=write_path.table_of(costs),
        dollars="\n".join(dollars),
        new_images=month.NEW_IMAGES,
        records=month.RECORDS,
        questions=month.QUESTIONS,
        month=month.table_of(month.designs(costs["batch of 10", "created"], costs["usual", "created"])),
        reads=reads.table_of(READ_SIZES, read_units),
        slowed=counters.SLOWED,
        counters=counter_table,
        cold_start=cold_start.table(starts),
        deployment=deployment.table(steps),
        suites=deployment.suites(),
    )
    DOCUMENT.write_text(document)
    print(f"{DOCUMENT.relative_to(ROOT)} is written.")
    if late := cold_start.slow(starts):
        print(f"These start later than {cold_start.MOST_OF_BOTO3} x boto3 and a client: {', '.join(late)}")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
