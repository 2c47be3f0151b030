"""ECR: repositories, images, layers and the registry's password.

The records are ours and the layers are the registry's, whose process answers docker by calling these same operations:
so tags, immutability and what exists have one truth. Source: aws/ecs-cloudmap-exec.md section 16.
"""

from tsubo.aws.ecr import (
    image_listing,
    images,
    layers,
    lifecycle,
    mutability,
    policies,
    repositories,
    scans,
    settings,
    tags,
    tokens,
)
from tsubo.aws.operations import Operations

OPERATIONS: Operations = {
    "CreateRepository": repositories.create_repository,
    "DescribeRepositories": repositories.describe_repositories,
    "DeleteRepository": repositories.delete_repository,
    "PutImageTagMutability": mutability.put_image_tag_mutability,
    "TagResource": tags.tag_resource,
    "UntagResource": tags.untag_resource,
    "ListTagsForResource": tags.list_tags_for_resource,
    "PutImage": images.put_image,
    "BatchGetImage": images.batch_get_image,
    "BatchDeleteImage": images.batch_delete_image,
    "DescribeImages": image_listing.describe_images,
    "ListImages": image_listing.list_images,
    "BatchCheckLayerAvailability": layers.batch_check_layer_availability,
    "GetDownloadUrlForLayer": layers.get_download_url_for_layer,
    "InitiateLayerUpload": layers.initiate_layer_upload,
    "UploadLayerPart": layers.upload_layer_part,
    "CompleteLayerUpload": layers.complete_layer_upload,
    "GetAuthorizationToken": tokens.get_authorization_token,
    "PutLifecyclePolicy": lifecycle.put_lifecycle_policy,
    "GetLifecyclePolicy": lifecycle.get_lifecycle_policy,
    "DeleteLifecyclePolicy": lifecycle.delete_lifecycle_policy,
    "StartLifecyclePolicyPreview": lifecycle.start_lifecycle_policy_preview,
    "GetLifecyclePolicyPreview": lifecycle.get_lifecycle_policy_preview,
    "SetRepositoryPolicy": policies.set_repository_policy,
    "GetRepositoryPolicy": policies.get_repository_policy,
    "DeleteRepositoryPolicy": policies.delete_repository_policy,
    "PutRegistryPolicy": policies.put_registry_policy,
    "GetRegistryPolicy": policies.get_registry_policy,
    "DeleteRegistryPolicy": policies.delete_registry_policy,
    "StartImageScan": scans.start_image_scan,
    "DescribeImageScanFindings": scans.describe_image_scan_findings,
    "PutImageScanningConfiguration": scans.put_image_scanning_configuration,
    "DescribeRegistry": settings.describe_registry,
    "PutReplicationConfiguration": settings.put_replication_configuration,
    "GetRegistryScanningConfiguration": settings.get_registry_scanning_configuration,
    "PutRegistryScanningConfiguration": settings.put_registry_scanning_configuration,
    "BatchGetRepositoryScanningConfiguration": settings.batch_get_repository_scanning_configuration,
}
