"""ECS clusters and their capacity providers. Calls: aws/alb-vpc-terraform.md sections 6.2 and 6.8."""

from typing import Any

from tsubo.terraform.calls import Aws
from tsubo.terraform.resources.common import block, changed, first, given, retag_by, tag_list, tag_map
from tsubo.terraform.table import ResourceType
from tsubo.terraform.values import Values

retag_ecs = retag_by("ecs", "tag_resource", "untag_resource", "resourceArn", "tags", "tagKeys", ("key", "value"))


def ecs_tags(values: Values) -> list[dict[str, str]] | None:
    """Return tags as ECS takes them."""
    return tag_list(values, "key", "value")


def ecs_tag_map(tags: Any) -> dict[str, str]:
    return tag_map(tags, "key", "value")


def _configuration(values: Values) -> dict[str, Any] | None:
    configuration = block(values, "configuration")
    if configuration is None:
        return None
    command = block(configuration, "execute_command_configuration")
    storage = block(configuration, "managed_storage_configuration")
    return given(
        executeCommandConfiguration=_command_configuration(command) if command else None,
        managedStorageConfiguration=given(
            kmsKeyId=storage.get("kms_key_id"),
            fargateEphemeralStorageKmsKeyId=storage.get("fargate_ephemeral_storage_kms_key_id"),
        )
        if storage
        else None,
    )


def _command_configuration(command: Values) -> dict[str, Any]:
    log = block(command, "log_configuration")
    return given(
        kmsKeyId=command.get("kms_key_id"),
        logging=command.get("logging"),
        logConfiguration=given(
            cloudWatchLogGroupName=log.get("cloud_watch_log_group_name"),
            cloudWatchEncryptionEnabled=log.get("cloud_watch_encryption_enabled"),
            s3BucketName=log.get("s3_bucket_name"),
            s3EncryptionEnabled=log.get("s3_bucket_encryption_enabled"),
            s3KeyPrefix=log.get("s3_key_prefix"),
        )
        if log
        else None,
    )


def _parameters(values: Values) -> dict[str, Any]:
    connect = block(values, "service_connect_defaults")
    settings = [{"name": setting["name"], "value": setting["value"]} for setting in values.get("setting") or ()]
    return given(
        settings=settings or None,
        configuration=_configuration(values),
        serviceConnectDefaults={"namespace": connect["namespace"]} if connect else None,
    )


def _create(aws: Aws, values: Values) -> Values:
    answer = aws.call("ecs", "create_cluster", clusterName=values["name"], tags=ecs_tags(values), **_parameters(values))
    return {"id": answer["cluster"]["clusterArn"]}


def find_cluster(aws: Aws, identifier: str) -> Any:
    """Return an active cluster as ECS describes it, or None."""
    answer = aws.find("ecs", "describe_clusters", clusters=[identifier], include=["TAGS", "SETTINGS", "CONFIGURATIONS"])
    return first(cluster for cluster in (answer or {}).get("clusters") or () if cluster["status"] != "INACTIVE")


def _read(aws: Aws, values: Values) -> Values | None:
    cluster = find_cluster(aws, values["id"])
    if cluster is None:
        return None
    actual: Values = {
        "arn": cluster["clusterArn"],
        "name": cluster["clusterName"],
        "setting": [{"name": s["name"], "value": s["value"]} for s in cluster.get("settings") or ()],
        "tags": ecs_tag_map(cluster.get("tags")),
    }
    connect = cluster.get("serviceConnectDefaults") or {}
    actual["service_connect_defaults"] = [{"namespace": connect["namespace"]}] if connect.get("namespace") else []
    if not cluster.get("configuration"):
        actual["configuration"] = []
    return actual


def _update(aws: Aws, before: Values, values: Values) -> None:
    if changed(before, values, "setting", "configuration", "service_connect_defaults"):
        aws.call("ecs", "update_cluster", cluster=values["id"], **_parameters(values))


def _delete(aws: Aws, values: Values) -> None:
    aws.call("ecs", "delete_cluster", cluster=values["id"])
    aws.wait(
        f"the cluster {values['name']} to be deleted",
        lambda: True if find_cluster(aws, values["id"]) is None else None,
    )


def _put_providers(aws: Aws, values: Values) -> None:
    strategy = [
        given(capacityProvider=item["capacity_provider"], base=item.get("base"), weight=item.get("weight"))
        for item in values.get("default_capacity_provider_strategy") or ()
    ]
    aws.call(
        "ecs",
        "put_cluster_capacity_providers",
        cluster=values["cluster_name"],
        capacityProviders=values.get("capacity_providers") or [],
        defaultCapacityProviderStrategy=strategy,
    )


def _create_providers(aws: Aws, values: Values) -> Values:
    _put_providers(aws, values)
    return {"id": values["cluster_name"]}


def _read_providers(aws: Aws, values: Values) -> Values | None:
    cluster = find_cluster(aws, values["id"])
    if cluster is None:
        return None
    return {
        "cluster_name": cluster["clusterName"],
        "capacity_providers": cluster.get("capacityProviders") or [],
        "default_capacity_provider_strategy": [
            {
                "capacity_provider": item["capacityProvider"],
                "base": item.get("base", 0),
                "weight": item.get("weight", 0),
            }
            for item in cluster.get("defaultCapacityProviderStrategy") or ()
        ],
    }


def _update_providers(aws: Aws, _before: Values, values: Values) -> None:
    _put_providers(aws, values)


def _delete_providers(aws: Aws, values: Values) -> None:
    _put_providers(aws, {"cluster_name": values["id"]})


RESOURCES = {
    "aws_ecs_cluster": ResourceType(
        create=_create,
        read=_read,
        update=_update,
        delete=_delete,
        retag=retag_ecs,
        import_values=lambda name: {"id": name, "name": name},
    ),
    "aws_ecs_cluster_capacity_providers": ResourceType(
        create=_create_providers, read=_read_providers, update=_update_providers, delete=_delete_providers
    ),
}
