"""From modules to distributions, and what is asked back."""

from __future__ import annotations

from tests.environment.inference.case import YAML, Case

CASES = [
    Case(
        "namespace package by attribute",
        ["import google.cloud.storage"],
        {"google-cloud-storage": "2.18.0"},
    ),
    Case(
        "namespace package by from",
        ["from google.cloud import bigquery"],
        {"google-cloud-bigquery": "3.25.0"},
    ),
    Case(
        "namespace package one level up",
        ["from google.protobuf import json_format"],
        {"protobuf": "5.28.0"},
    ),
    Case(
        "two of a namespace",
        ["from google.oauth2 import x\nfrom google.cloud import storage"],
        {"google-auth": "2.34.0", "google-cloud-storage": "2.18.0"},
    ),
    Case(
        "namespace alone",
        ["import google"],
        {},
        asks={
            "google": ["google-auth", "google-cloud-bigquery", "google-cloud-storage", "protobuf"]
        },
    ),
    Case(
        "part of a namespace that is not installed, and known",
        ["from google.cloud import pubsub_v1"],
        {"google-cloud-pubsub": ""},
        warns=["'google' is not installed in the notebook's kernel; google-cloud-pubsub is taken"],
    ),
    Case(
        "part of a namespace that is not installed, and unknown",
        ["from google.cloud import nothing_known"],
        {},
        asks={
            "google.cloud.nothing_known": ["google-cloud-nothing-known", "google-cloud", "protobuf"]
        },
    ),
    Case(
        "folder that two share",
        ["from mpl_toolkits.mplot3d import Axes3D"],
        {"matplotlib": "3.9.2"},
    ),
    Case("single-file module", ["import six"], {"six": "1.16.0"}),
    Case("compiled module", ["import _yaml"], YAML),
    Case("several modules of one distribution", ["import attr, attrs"], {"attrs": "24.2.0"}),
    Case("variant that is installed", ["import cv2"], {"opencv-python": "4.10.0.84"}),
    Case(
        "well-known names",
        ["import PIL, bs4, skimage, dateutil"],
        {
            "pillow": "10.4.0",
            "beautifulsoup4": "4.12.3",
            "scikit-image": "0.24.0",
            "python-dateutil": "2.9.0",
        },
    ),
    Case(
        "two distributions with the same module",
        ["import shared"],
        {},
        asks={"shared": ["one-plugin", "other-plugin"]},
    ),
    Case(
        "an answer kept in the notebook",
        ["import shared"],
        {"other-plugin": "1.0"},
        metadata={"jupyter_mlops": {"distributions": {"shared": "other-plugin"}}},
    ),
    Case(
        "absent, and in our own table",
        ["import fitz, Crypto, git"],
        {"pymupdf": "", "pycryptodome": "", "gitpython": ""},
        warns=["pymupdf is taken", "pycryptodome is taken", "gitpython is taken"],
        why=["it is not installed in the kernel"],
    ),
    Case(
        "absent, and in pipreqs' table",
        ["import github"],
        {"PyGithub": ""},
        warns=["PyGithub is taken"],
    ),
    Case(
        "absent, and known by its own name",
        ["import seaborn"],
        {"seaborn": ""},
        warns=["seaborn is taken"],
    ),
    Case(
        "absent and unknown",
        ["import nowhere_at_all"],
        {},
        asks={"nowhere_at_all": ["nowhere-at-all"]},
    ),
    Case(
        "absent and misspelt", ["import skleran"], {}, asks={"skleran": ["scikit-learn", "skleran"]}
    ),
    Case(
        "a file that no distribution lists",
        ["import handmade"],
        {},
        asks={"handmade": []},
    ),
    Case(
        "installed from Git",
        ["import fromgit"],
        {"fromgit": "0.3"},
        urls={"fromgit": f"git+https://git.example.org/fromgit.git@{'a' * 40}"},
    ),
    Case(
        "installed from an address",
        ["import spacy\nnlp = spacy.load('en_core_web_sm')"],
        {"spacy": "3.7.6", "en-core-web-sm": "3.7.1"},
        urls={"en-core-web-sm": "https://models.example.org/en_core_web_sm-3.7.1-py3-none-any.whl"},
    ),
    Case("installed in editable mode", ["import ours"], {"our-project": "0.1"}),
    Case(
        "module of a hosted service, under an if",
        ["COLAB = False\nif COLAB:\n    from google.colab import drive"],
        {},
    ),
    Case(
        "module of a hosted service",
        ["from google.colab import drive"],
        {},
        stops=["exists in Google Colab only"],
    ),
]
