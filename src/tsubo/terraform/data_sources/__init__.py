"""The data sources that are read, by name; one module a family. Every other one is accepted; see `accepted`."""

from collections.abc import Mapping

from tsubo.terraform.data_sources import account, lookups, network, policy_document
from tsubo.terraform.table import DataSource

DATA_SOURCES: Mapping[str, DataSource] = {
    name: source
    for module in (account, lookups, network, policy_document)
    for name, source in module.DATA_SOURCES.items()
}
