"""GitHub's REST API, as far as the project's own workflows need it: lists and single calls."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import urllib3

_PAGE = 100


class GitHubError(RuntimeError):
    """GitHub did not do what it was asked; the message has its status, never the token."""


class GitHub:
    """One repository, by the token of a job."""

    def __init__(self, api: str, repository: str, token: str) -> None:
        self._base = f"{api.rstrip('/')}/repos/{repository}"
        retries = urllib3.Retry(
            3, backoff_factor=0.5, status_forcelist=(500, 502, 503), allowed_methods=None,
            raise_on_status=False,
        )  # fmt: skip
        self._pool = urllib3.PoolManager(
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "User-Agent": "medallion",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            timeout=urllib3.Timeout(20),
            retries=retries,
        )

    @classmethod
    def of_job(cls) -> GitHub:
        """The repository and the token that the job's environment names. Raises GitHubError."""
        missing = [one for one in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not os.environ.get(one)]
        if missing:
            raise GitHubError(f"{' and '.join(missing)} must be set, as in a workflow's job.")
        api = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        return cls(api, os.environ["GITHUB_REPOSITORY"], os.environ["GITHUB_TOKEN"])

    def all(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page after page. Raises GitHubError."""
        page = 1
        while True:
            asked = {**query, "per_page": str(_PAGE), "page": str(page)}
            entries = self._send("GET", path, fields=asked)
            yield from entries
            if len(entries) < _PAGE:
                return
            page += 1

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """A call with a JSON body; returns the JSON of the answer. Raises GitHubError."""
        return self._send(method, path, body=json.dumps(body).encode())

    def _send(self, method: str, path: str, **content: Any) -> Any:  # noqa: ANN401
        try:
            answer = self._pool.request(method, f"{self._base}/{path}", **content)
        except urllib3.exceptions.HTTPError as error:
            raise GitHubError(f"{method} {path}: no answer ({type(error).__name__}).") from None
        if answer.status >= 300:
            raise GitHubError(
                f"{method} {path}: {answer.status}. Has the job the `permissions` for it?"
            )
        return json.loads(answer.data)
