"""The volumes of task definitions between Terraform's blocks and ECS's members. They are kept, not mounted."""

from collections.abc import Iterable
from typing import Any

from tsubo.terraform.resources.common import block, given
from tsubo.terraform.values import Values


def volumes_of(blocks: Iterable[Values] | None) -> list[dict[str, Any]]:
    """Return volume blocks as ECS takes them."""
    return [
        given(
            name=values["name"],
            host={"sourcePath": values["host_path"]} if values.get("host_path") else None,
            configuredAtLaunch=bool(values.get("configure_at_launch")),
            dockerVolumeConfiguration=_docker(block(values, "docker_volume_configuration")),
            efsVolumeConfiguration=_efs(block(values, "efs_volume_configuration")),
        )
        for values in blocks or ()
    ]


def _docker(volume: Values | None) -> dict[str, Any] | None:
    if volume is None:
        return None
    return given(
        scope=volume.get("scope"),
        autoprovision=volume.get("autoprovision"),
        driver=volume.get("driver"),
        driverOpts=volume.get("driver_opts"),
        labels=volume.get("labels"),
    )


def _efs(volume: Values | None) -> dict[str, Any] | None:
    if volume is None:
        return None
    authorization = block(volume, "authorization_config")
    return given(
        fileSystemId=volume["file_system_id"],
        rootDirectory=volume.get("root_directory"),
        transitEncryption=volume.get("transit_encryption") or None,
        transitEncryptionPort=volume.get("transit_encryption_port") or None,
        authorizationConfig=given(
            accessPointId=authorization.get("access_point_id") or None, iam=authorization.get("iam") or None
        )
        if authorization
        else None,
    )


def volume_blocks(volumes: Iterable[dict[str, Any]]) -> list[Values]:
    """Return ECS's volumes as blocks."""
    return [
        {
            "name": volume["name"],
            "host_path": (volume.get("host") or {}).get("sourcePath"),
            "configure_at_launch": volume.get("configuredAtLaunch", False),
            "docker_volume_configuration": _docker_blocks(volume.get("dockerVolumeConfiguration")),
            "efs_volume_configuration": _efs_blocks(volume.get("efsVolumeConfiguration")),
        }
        for volume in volumes
    ]


def _docker_blocks(volume: dict[str, Any] | None) -> list[Values]:
    if not volume:
        return []
    return [
        {
            "scope": volume.get("scope"),
            "autoprovision": volume.get("autoprovision", False),
            "driver": volume.get("driver"),
            "driver_opts": volume.get("driverOpts"),
            "labels": volume.get("labels"),
        }
    ]


def _efs_blocks(volume: dict[str, Any] | None) -> list[Values]:
    if not volume:
        return []
    authorization = volume.get("authorizationConfig")
    return [
        {
            "file_system_id": volume["fileSystemId"],
            "root_directory": volume.get("rootDirectory", "/"),
            "transit_encryption": volume.get("transitEncryption"),
            "transit_encryption_port": volume.get("transitEncryptionPort"),
            "authorization_config": [
                {"access_point_id": authorization.get("accessPointId"), "iam": authorization.get("iam")}
            ]
            if authorization
            else [],
        }
    ]
