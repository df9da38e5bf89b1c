"""The CSV files that stand beside the notebooks: always the same, small, with gaps where said."""

from __future__ import annotations

import random


def _lines(header: str, rows: list[list[object]]) -> str:
    return "\n".join([header, *(",".join(str(value) for value in row) for row in rows)]) + "\n"


def _houses(gaps: bool) -> str:
    chance = random.Random(7)
    rows: list[list[object]] = []
    for number in range(80):
        area, rooms = round(chance.uniform(30, 180), 1), chance.randint(1, 6)
        city, age = chance.choice(["Bonn", "Köln", "Trier"]), chance.randint(0, 90)
        price = 2000 * area + 9000 * rooms + {"Bonn": 30, "Köln": 50, "Trier": 0}[city] * 1000
        price = round(price - 300 * age + chance.gauss(0, 5000), 2)
        # Among the first rows, too: those are asked about.
        known = "" if gaps and number % 4 == 1 else age
        rows.append([area, rooms, city, known, price])
    return _lines("area,rooms,city,age,price", rows)


def _sales() -> str:
    chance = random.Random(11)
    rows: list[list[object]] = []
    for number in range(80):
        when = f"2024-{number % 12 + 1:02d}-{chance.randint(1, 28):02d}"
        region, visits = chance.choice(["north", "south", "east"]), chance.randint(10, 400)
        sold = visits // 8 + 3 * (number % 12) + {"north": 5, "south": 9, "east": 1}[region]
        rows.append([when, region, visits, sold])
    return _lines("when,region,visits,sold", rows)


def _reviews() -> str:
    chance = random.Random(5)
    good = ["lovely", "great", "tasty", "friendly", "perfect"]
    bad = ["awful", "cold", "slow", "rude", "bland"]
    rows: list[list[object]] = []
    for number in range(60):
        words = chance.sample(good if number % 2 else bad, 3) + chance.sample(good + bad, 1)
        rows.append([" ".join(words), "good" if number % 2 else "bad"])
    return _lines("text,mood", rows)


HOUSES = {"houses.csv": _houses(gaps=False)}
GAPS = {"houses.csv": _houses(gaps=True)}
#: Houses whose price is not known, with a gap.
ASKED = {
    "asked.csv": "area,rooms,city,age\n80.5,3,Köln,12\n55.0,2,Bonn,\n140.2,5,Trier,70\n"
    "33.3,1,Köln,\n91.0,4,Bonn,33\n"
}
SALES = {"sales.csv": _sales()}
REVIEWS = {"reviews.csv": _reviews()}
REGIONS = {"regions.csv": "region,people,coast\nnorth,120,1\nsouth,300,0\neast,80,1\n"}
