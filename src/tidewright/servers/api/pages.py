"""The built page: its files are known at the start, so a path can name nothing else."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, Response

from tidewright.app.page.read_models import Role
from tidewright.servers.api.guard import GUARDED, role

PAGES = frozenset({"", "login"})
"""Addresses that the page itself handles."""

_MISSING = (
    "<!doctype html><meta charset=utf-8><title>Tidewright</title>"
    "<p>The page is not built. Run <code>npm ci</code> and <code>npm run build</code> in "
    "<code>ui</code>, or install a released wheel. The API works without it."
)


def page_router(static: Path) -> APIRouter:
    """Return the route that serves a folder of built files.

    Parameters
    ----------
    static : Path
        Output of the build; read once, now.
    """
    router = APIRouter(dependencies=[GUARDED])
    files = {
        path.relative_to(static).as_posix(): path
        for path in (static.rglob("*") if static.is_dir() else ())
        if path.is_file()
    }

    @router.api_route("/{path:path}", methods=["GET", "HEAD"], include_in_schema=False)
    @role(Role.PUBLIC)
    def get_page(path: str) -> Response:
        name = "index.html" if path in PAGES else path
        if name not in files:
            if path in PAGES:
                return HTMLResponse(_MISSING, 503)
            raise HTTPException(404, "there is nothing at this address")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        hashed = name.startswith("assets/")
        caching = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return FileResponse(files[name], media_type=kind, headers={"Cache-Control": caching})

    return router
