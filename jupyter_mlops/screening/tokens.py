"""Tokens that tell what they are by how they are written, in any text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

#: Of detect-secrets, what is as sure in a printed table as in a program. Its detectors of mere
#: entropy are left out: a notebook is full of hashes.
PLUGINS = (
    "aws.AWSKeyDetector", "azure_storage_key.AzureStorageKeyDetector",
    "basic_auth.BasicAuthDetector", "cloudant.CloudantDetector", "discord.DiscordBotTokenDetector",
    "github_token.GitHubTokenDetector", "gitlab_token.GitLabTokenDetector",
    "ibm_cloud_iam.IbmCloudIamDetector", "ibm_cos_hmac.IbmCosHmacDetector",
    "jwt.JwtTokenDetector", "mailchimp.MailchimpDetector", "npm.NpmDetector",
    "openai.OpenAIDetector", "private_key.PrivateKeyDetector", "pypi_token.PypiTokenDetector",
    "sendgrid.SendGridDetector", "slack.SlackDetector", "softlayer.SoftlayerDetector",
    "square_oauth.SquareOAuthDetector", "stripe.StripeDetector",
    "telegram_token.TelegramBotTokenDetector", "twilio.TwilioKeyDetector",
)  # fmt: skip
#: A line of so many characters is data, not text: it is looked at in pieces that overlap.
PIECE, OVERLAP = 20_000, 500
#: What a detector gives, and is shorter, may be a part of the secret only.
WHOLE = 16
#: What stands for a password in an address: it is no secret that everybody knows these.
_NOTHING = re.compile(
    r"[*x•.]+|<[^>]*>|\[[^\]]*\]|\{[^}]*\}|\$\{?\w+\}?|%\(?\w+\)?s?|"
    r"(?:your|my|the)[-_ ]?\w*|pass(?:word|wd)?|pwd|secret|token|change[-_]?me|example\w*|redacted",
    re.IGNORECASE,
)


def tokens(line: str) -> Iterator[tuple[str, str]]:
    """Yield the tokens in a line: what kind each is, and itself."""
    for start in range(0, max(len(line), 1), PIECE - OVERLAP):
        piece = line[start : start + PIECE]
        for kind, pattern in _own():
            for match in pattern.finditer(piece):
                yield kind, match.group()
        for plugin in _plugins():
            for secret in plugin.analyze_string(piece):
                if not is_placeholder(secret):
                    yield plugin.secret_type, _whole(plugin, secret, piece)


def _whole(plugin: Any, secret: str, text: str) -> str:
    """Return all of a secret of which a detector gives a part: of GitHub's tokens, the ``ghp``."""
    if secret.startswith("eyJ"):  # a JSON web token: without its signature
        signature = re.match(r"\.?[\w-]*", text[text.find(secret) + len(secret) :])
        return secret + (signature.group() if signature else "")
    if len(secret) >= WHOLE:
        return secret
    matches = (match for pattern in plugin.denylist for match in pattern.finditer(text))
    return max((m.group() for m in matches if secret in m.group()), key=len, default=secret)


def is_placeholder(text: str) -> bool:
    """Tell whether a text stands where a secret would, without being one."""
    return _NOTHING.fullmatch(text.strip()) is not None


@cache
def _own() -> list[tuple[str, re.Pattern[str]]]:
    text = resources.files(__package__).joinpath("tokens.txt").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    parts = (row.split(" | ", 1) for row in rows)
    return [(kind, re.compile(pattern)) for kind, pattern in parts]


@cache
def _plugins() -> list[Any]:
    from importlib import import_module

    made = []
    for name in PLUGINS:
        module, _, kind = name.rpartition(".")
        made.append(getattr(import_module(f"detect_secrets.plugins.{module}"), kind)())
    return made
