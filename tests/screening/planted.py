"""Secrets of many kinds, made by code: none of them was ever issued, and none stands here whole."""

from __future__ import annotations

import base64
import random
import string

_CHANCE = random.Random(20261121)
LETTERS, HEX = string.ascii_letters + string.digits, "0123456789abcdef"


def _some(count: int, alphabet: str = LETTERS) -> str:
    return "".join(_CHANCE.choice(alphabet) for _ in range(count))


UPPER = string.ascii_uppercase + string.digits


def _tokens() -> dict[str, str]:
    return {
        "AWS key id": "AKIA" + _some(16, UPPER),
        "Azure storage": "AccountKey=" + _some(86) + "==",
        "Azure signature": "https://x.blob.core.windows.net/c?sv=1&sig=" + _some(43) + "%3D",
        "Azure client secret": "abc" + "8Q~" + _some(34),
        "address with password": "postgresql://anna:" + _some(12) + "@db.example.org/lab",
        "Discord": "M" + _some(23) + "." + _some(6) + "." + _some(27),
        "GitHub": "ghp_" + _some(36),
        "GitHub fine-grained": "github_pat_" + _some(82),
        "GitLab": "glpat-" + _some(20),
        "Hugging Face": "hf_" + _some(34),
        "OpenAI": "sk-" + _some(20) + "T3BlbkFJ" + _some(20),
        "OpenAI project": "sk-proj-" + _some(64),
        "Anthropic": "sk-ant-api03-" + _some(80),
        "Google API": "AIza" + _some(35),
        "Google OAuth": "GOCSPX-" + _some(28),
        "JSON web token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + _some(43),
        "Mailchimp": _some(32, HEX) + "-us12",
        "npm": "npm_" + _some(36),
        "npmrc": "//registry.npmjs.org/:_authToken=npm_" + _some(36),
        "PyPI": "pypi-AgEIcHlwaS5vcmc" + _some(80),
        "SendGrid": "SG." + _some(22) + "." + _some(43),
        "Slack": "xoxb-" + _some(12, string.digits) + "-" + _some(24, string.ascii_lowercase),
        "Slack hook": f"https://hooks.slack.com/services/T{_some(8)}/B{_some(8)}/{_some(24)}",
        "Square": "sq0csp-" + _some(43),
        "Stripe": "sk_live_" + _some(24),
        "Telegram": _some(9, string.digits) + ":" + _some(35),
        "Twilio": "SK" + _some(32, string.ascii_lowercase + string.digits),
        "private key": "-----BEGIN " + "OPENSSH PRIVATE KEY-----" + _some(70) + "-----END",
        "PGP key": "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----" + _some(70) + "-----END",
        "Databricks": "dapi" + _some(32, HEX),
        "DigitalOcean": "dop_v1_" + _some(64, HEX),
        "Vault": "hvs." + _some(24),
        "Terraform": _some(14) + ".atlasv1." + _some(67),
        "Grafana": "glsa_" + _some(32) + "_" + _some(8, HEX),
        "New Relic": "NRAK-" + _some(27, UPPER),
        "Shopify": "shpat_" + _some(32, HEX),
        "Replicate": "r8_" + _some(37),
        "Groq": "gsk_" + _some(52),
        "NVIDIA": "nvapi-" + _some(64),
        "Docker Hub": "dckr_pat_" + _some(27),
        "Postman": "PMAK-" + _some(24, HEX) + "-" + _some(34, HEX),
        "age": "AGE-SECRET-KEY-1" + _some(58, UPPER),
        "Jupyter address": "http://127.0.0.1:8888/lab?token=" + _some(48, HEX),
        "Kaggle": '{"username":"anna","key":"' + _some(32, HEX) + '"}',
        "registry login": '{"auths":{"r.example":{"auth":"' + base64.b64encode(b"anna:" + _some(12).encode()).decode() + '"}}}',  # noqa: E501
        "netrc": "machine api.example.org login anna password " + _some(12),
        "authorization": "Authorization: Bearer " + _some(40),
    }  # fmt: skip


#: Tokens that tell what they are wherever they stand; kind → token.
TOKENS = _tokens()
#: Others of the same kinds.
OTHERS = _tokens()
_WORD = _some(14)
#: Code that calls a text a secret, whatever it looks like; what it covers → code.
CODE = {
    "password": f"password = {_WORD!r}",
    "annotated": f"db_password: str = {_WORD!r}",
    "attribute": f"client.api_key = {_WORD!r}",
    "item": f"os.environ['WANDB_API_KEY'] = {_WORD!r}",
    "keyword": f"connect(user='anna', password={_WORD!r})",
    "dictionary": f"config = {{'user': 'anna', 'secretKey': {_WORD!r}}}",
    "default of a parameter": f"def load(token={_WORD!r}):\n    return token",
    "default of a lookup": f"key = os.environ.get('API_KEY', {_WORD!r})",
    "pair": f"user, pwd = 'anna', {_WORD!r}",
    "joined": f"auth_token = {_WORD[:7]!r} + {_WORD[7:]!r}",
    "bytes": f"SECRET_KEY = {_WORD.encode()!r}",
    "walrus": f"if (passphrase := {_WORD!r}):\n    pass",
}

#: What is often taken for a secret and is none.
HARMLESS = [
    "password = getpass.getpass('password: ')",
    "token = os.environ['HF_TOKEN']",
    "api_key = os.environ.get('API_KEY', '')",
    "api_key = 'YOUR_API_KEY'",
    "password = '<your password>'",
    "password = 'changeme'",
    "token = '****'",
    "pad_token = '[PAD]'; eos_token = '</s>'",
    "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
    "secret_name = 'projects/lab/secrets/db'",
    "api_key_file = '/run/secrets/key'",
    "token_url = 'https://login.example.org/oauth/token'",
    "n_tokens = 512; max_tokens = '512'",
    "API_KEY_ENV = 'OPENAI_API_KEY'",
    "password_column = 'password'",
    "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
    "commit = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b'",
    "url = 'https://user@example.org/data.csv'",
    "url = 'postgresql://{user}:{password}@{host}/db'",
    "url = f'postgresql://{user}:{password}@{host}/db'",
    "url = 'postgresql://user:***@host/db'",
    "key = 'species'; keys = ['a', 'b']",
    "primary_key = 'id'; foreign_key = 'user_id'; sort_key = 'created'",
    "df = df.sort_values(key='a'); ax.legend(title='Secret of the sea')",
    "uuid = '123e4567-e89b-12d3-a456-426614174000'",
    "print('The password must have at least 12 characters')",
]
