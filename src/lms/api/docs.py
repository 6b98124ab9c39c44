"""Where is the API described, for people and for tools, without the internet?"""

from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from litestar import MediaType, Request, Response, get
from litestar._openapi.schema_generation import SchemaCreator
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin, SwaggerRenderPlugin
from litestar.openapi.spec import Components, OpenAPIType, Schema, SecurityScheme
from litestar.plugins import OpenAPISchemaPlugin
from litestar.static_files import create_static_files_router
from litestar.typing import FieldDefinition

from lms.api.description import description_of

ASSETS = "/docs/assets"


class Page(SwaggerRenderPlugin):
    """The page at /docs, with the whole description."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002 - Litestar's signature
        """The page as HTML."""
        return super().render(request, description_of(request.app))


class Description(JsonRenderPlugin):
    """The whole description as JSON."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002 - Litestar's signature
        """The description as JSON."""
        return super().render(request, description_of(request.app))


def openapi_config(version: str) -> OpenAPIConfig:
    """The description at /openapi.json and the page at /docs, its assets served from a package."""
    return OpenAPIConfig(
        title="lms",
        version=version,
        description="What people learn, what it changes, and the evidence for each link.",
        path="/docs",
        use_handler_docstrings=True,
        components=Components(
            security_schemes={"token": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT")}
        ),
        security=[{"token": []}],
        render_plugins=[
            Page(
                path="/",
                favicon=f'<link rel="icon" type="image/png" href="{ASSETS}/favicon-32x32.png">',
                js_url=f"{ASSETS}/swagger-ui-bundle.js",
                css_url=f"{ASSETS}/swagger-ui.css",
                standalone_preset_js_url=f"{ASSETS}/swagger-ui-standalone-preset.js",
            ),
            Description(path="/openapi.json"),
        ],
    )


class NumbersAreNumbers(OpenAPISchemaPlugin):
    """Decimals travel as JSON numbers, so that is what the description says of them."""

    @staticmethod
    def is_plugin_supported_type(value: Any) -> bool:
        """Tell whether it is a decimal."""
        return value is Decimal

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:  # noqa: ARG002 - every decimal looks alike
        """A number."""
        return Schema(type=OpenAPIType.NUMBER)


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The OpenAPI description."""
    return Response(JsonRenderPlugin.render_json(request, description_of(request.app)), media_type=MediaType.JSON)


def _assets() -> Path:
    """The static folder of the package that ships Swagger UI; found, not imported: its code is not used."""
    spec = find_spec("swagger_ui")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("swagger_ui")
    return Path(spec.origin).parent / "static"


assets = create_static_files_router(path=ASSETS, directories=[_assets()], include_in_schema=False)

ROUTES = [openapi_json, assets]
