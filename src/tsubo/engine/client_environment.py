"""The environment that makes AWS clients, the AWS CLI and the real Terraform provider talk to an engine."""

import os

from tsubo.engine.home import Home

UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN")
"""Variables that must not be there: they choose other credentials than the engine's."""


def client_environment(home: Home) -> dict[str, str]:
    """Return the variables that every AWS client needs."""
    return {
        "AWS_ENDPOINT_URL": home.endpoint,
        "AWS_REGION": home.settings.region,
        "AWS_DEFAULT_REGION": home.settings.region,
        "AWS_ACCESS_KEY_ID": home.settings.access_key_id,
        "AWS_SECRET_ACCESS_KEY": home.settings.secret_access_key,
        # Cloud Map's DiscoverInstances would be sent to data-127.0.0.1, which does not resolve.
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def terraform_environment(home: Home, environment: dict[str, str]) -> dict[str, str]:
    """Return a user's environment, changed so that Terraform and the real provider call this engine and nothing else.

    A region that the user chose stays.
    """
    kept = {name: value for name, value in environment.items() if not name.startswith("AWS_")}
    kept.pop("TF_REATTACH_PROVIDERS", None)
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or home.settings.region
    return (
        kept
        | client_environment(home)
        | {
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CHECKPOINT_DISABLE": "1",
        }
    )
