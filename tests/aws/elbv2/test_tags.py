"""Tags of everything that ELBv2 has. Source: aws/alb-vpc-terraform.md section 6.2 (DescribeTags in every read)."""

from tests.aws.elbv2.conftest import LoadBalancing


def test_tags_of_every_kind(elb: LoadBalancing) -> None:
    tags = [{"Key": "Name", "Value": "x"}]
    load_balancer = elb.load_balancer(Tags=tags)["LoadBalancerArn"]
    group = elb.target_group(Tags=tags)
    listener = elb.listener(load_balancer, group, Tags=tags)
    conditions = [{"Field": "path-pattern", "Values": ["/"]}]
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    request = {"ListenerArn": listener, "Priority": 1, "Conditions": conditions, "Actions": actions, "Tags": tags}
    rule = elb("CreateRule", request)["Rules"][0]["RuleArn"]
    arns = [load_balancer, group, listener, rule]
    described = elb("DescribeTags", ResourceArns=arns)["TagDescriptions"]
    assert described == [{"ResourceArn": arn, "Tags": tags} for arn in arns]
    elb("AddTags", ResourceArns=arns, Tags=[{"Key": "Name", "Value": "y"}, {"Key": "a", "Value": "b"}])
    elb("RemoveTags", ResourceArns=arns, TagKeys=["a"])
    described = elb("DescribeTags", ResourceArns=arns)["TagDescriptions"]
    assert all(each["Tags"] == [{"Key": "Name", "Value": "y"}] for each in described)


def test_the_default_rule_has_no_tags(elb: LoadBalancing) -> None:
    listener = elb.listener(elb.load_balancer()["LoadBalancerArn"], elb.target_group())
    [default] = elb("DescribeRules", ListenerArn=listener)["Rules"]
    arn = default["RuleArn"]
    assert elb("DescribeTags", ResourceArns=[arn])["TagDescriptions"] == [{"ResourceArn": arn, "Tags": []}]
    refused = elb.refused("AddTags", ResourceArns=[arn], Tags=[{"Key": "a", "Value": "b"}])
    assert refused.code == "OperationNotPermitted"


def test_too_many_tags_and_resources_that_are_not_there(elb: LoadBalancing) -> None:
    arn = elb.target_group()
    tags = [{"Key": str(number), "Value": ""} for number in range(30)]
    elb("AddTags", ResourceArns=[arn], Tags=tags)
    more = [{"Key": f"more{number}", "Value": ""} for number in range(30)]
    assert elb.refused("AddTags", ResourceArns=[arn], Tags=more).code == "TooManyTags"
    missing = arn.replace("web", "gone")
    assert elb.refused("DescribeTags", ResourceArns=[missing]).code == "TargetGroupNotFound"
    assert elb.refused("DescribeTags", ResourceArns=["arn:aws:s3:::bucket"]).code == "ValidationError"
