"""Images whose time is over, by their repositories' lifecycle policies.

AWS carries a policy out within a day; here it is done at once (aws/ecs-cloudmap-exec.md section 18: waits are short).
"""

from tsubo.core.draft import Draft
from tsubo.model.lifecycle_policy import expired_images


def decide(draft: Draft, now: float) -> None:
    """Delete the images that have expired."""
    for repository in draft.world.repositories.values():
        if repository.lifecycle_policy is not None:
            images = [image for image in draft.world.images.values() if image.repository_arn == repository.arn]
            for image, _ in expired_images(repository.lifecycle_policy, images, now):
                draft.delete(image)
