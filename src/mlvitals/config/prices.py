"""Prices in a file of their own, for what one pays is not for every repository."""

from pathlib import Path

from mlvitals.config.check import check_prices
from mlvitals.config.choices import convert
from mlvitals.config.document import read_document
from mlvitals.config.entries import Config
from mlvitals.config.model import PricesConfig
from mlvitals.config.scalar import decoder
from mlvitals.errors import ConfigError


def load_prices(path: Path, config: Config) -> PricesConfig:
    """Return the prices in a file that holds what could stand under `prices` in the configuration.

    Raises:
        ConfigError: the file cannot be read, does not fit, or names a sink that the configuration has not.

    """
    written = read_document(path)
    try:
        prices = convert(written, PricesConfig, decoder(path.parent))
        check_prices(config, prices, "$")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return prices
