"""Is every setting read, checked and named when it is wrong?"""

from pathlib import Path

import pytest

from lms import config
from lms.config import ConfigError, Settings


def test_without_any_setting_the_defaults_hold():
    assert config.load({"PATH": "/bin"}) == Settings()


def test_each_setting_has_the_name_of_its_variable():
    settings = config.load(
        {
            "LMS_DATABASE_URL": "postgresql://app@db/lms",
            "LMS_DATA_DIR": "/var/lib/lms",
            "LMS_PORT": "9000",
            "LMS_WORKERS": "4",
            "LMS_LOG_FORMAT": "json",
            "LMS_MIN_GROUP_SIZE": "12",
        }
    )

    assert settings.database_url == "postgresql://app@db/lms"
    assert settings.owner_database_url == "postgresql://app@db/lms"
    assert settings.data_dir == Path("/var/lib/lms")
    assert (settings.port, settings.workers, settings.min_group_size) == (9000, 4, 12)
    assert settings.master_key_path == Path("/var/lib/lms/master.key")


def test_an_option_of_the_command_line_is_stronger_than_the_environment():
    assert config.load({"LMS_PORT": "9000"}, port=9001, host=None).port == 9001


def test_a_variable_of_somebody_else_is_left_alone():
    assert config.load({"LMS_TOKEN": "x", "LMS_URL": "http://elsewhere", "LMS_TEST_RUN": "7"}) == Settings()


def test_an_empty_variable_counts_as_not_set():
    assert config.load({"LMS_DATABASE_URL": ""}).database_url is None


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"LMS_PORT": "eighty"}, "LMS_PORT: expected `int`, got `str`"),
        ({"LMS_PORT": "70000"}, "LMS_PORT: expected `int` <= 65535"),
        ({"LMS_MIN_GROUP_SIZE": "4"}, "LMS_MIN_GROUP_SIZE: expected `int` >= 5"),
        ({"LMS_LOG_FORMAT": "xml"}, "LMS_LOG_FORMAT: invalid enum value 'xml'"),
        ({"LMS_DATA_DRI": "/tmp"}, "LMS_DATA_DRI is no setting; is LMS_DATA_DIR meant?"),
        ({"LMS_OIDC_ISSUER": "https://login.example"}, "LMS_OIDC_ISSUER needs LMS_OIDC_AUDIENCE"),
        ({"LMS_OIDC_JWKS_URL": "https://login.example/keys"}, "need LMS_OIDC_ISSUER"),
        ({"LMS_MIGRATION_DATABASE_URL": "postgresql://owner@db/lms"}, "needs LMS_DATABASE_URL"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environment: dict[str, str], complaint: str):
    with pytest.raises(ConfigError) as refused:
        config.load(environment)

    assert complaint in str(refused.value)
