"""What does an installed package carry beside its code?

A wheel takes along the migrations and roles that `lms migrate` runs. An editable install finds them in the
checkout, so nothing is copied that could grow stale.
"""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class OperationsInWheel(BuildHookInterface):
    """Puts ops/migrations and ops/roles.sql into the wheel as lms/_ops (see lms.migrations)."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name what to include, unless the install is editable."""
        if version == "standard":
            build_data["force_include"]["ops/migrations"] = "lms/_ops/migrations"
            build_data["force_include"]["ops/roles.sql"] = "lms/_ops/roles.sql"
