"""The loop carries lifecycle policies out."""

import json

from tsubo.core import image_expiry
from tsubo.core.draft import Draft
from tsubo.model.ecr import Image, Repository
from tsubo.model.identity import EngineIdentity
from tsubo.model.world import World

POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
                "action": {"type": "expire"},
            }
        ]
    }
)


def repository(name: str, policy: str | None) -> Repository:
    arn = f"arn:aws:ecr:eu-west-1:123456789012:repository/{name}"
    return Repository(arn, name, "eu-west-1", 0.0, lifecycle_policy=policy)


def test_only_the_repository_with_a_policy_loses_images() -> None:
    limited, free = repository("limited", POLICY), repository("free", None)
    images = [
        Image(each.arn, name, "{}", "", at) for each in (limited, free) for name, at in (("old", 1.0), ("new", 2.0))
    ]
    draft = Draft(World(EngineIdentity("0011aabb")).with_records(limited, free, *images))
    image_expiry.decide(draft, 3.0)
    assert sorted(draft.world.images) == sorted({image.key for image in images} - {f"{limited.arn}@old"})
    assert [change.after for change in draft.plan().changes] == [None]
