//! What training costs: a price for trained tokens, and amounts of money.
//!
//! Money is counted in millionths of a currency's unit, in whole numbers, so that no sum ever drifts. Where no price is
//! set, nothing here is shown to anybody.

use serde::{Deserialize, Serialize};

/// Millionths in one unit of a currency.
pub const MICROS: u64 = 1_000_000;

/// Digits after the point that a price may have.
const DIGITS: usize = 6;

/// What 1,000 trained tokens cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenPrice {
    /// Millionths of the currency's unit for 1,000 trained tokens.
    pub micros: u64,
    /// The currency's code in ISO 4217.
    pub currency: String,
}

impl TokenPrice {
    /// Reads an amount and a currency's code, as `0.008 USD`; nothing where it is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (amount, currency) = text.trim().split_once(' ')?;
        let currency = currency.trim();
        let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
        Some(Self {
            micros: parse_micros(amount).filter(|_| is_code)?,
            currency: currency.to_owned(),
        })
    }

    /// What so many trained tokens cost, in millionths, half of one rounded up.
    #[must_use]
    pub fn cost_micros(&self, tokens: u64) -> u64 {
        let exact = u128::from(tokens) * u128::from(self.micros);
        u64::try_from((exact + 500) / 1_000).unwrap_or(u64::MAX)
    }
}

/// Millionths as a decimal number without needless digits, as machines read it: `0.008`, `12`.
#[must_use]
pub fn decimal(micros: u64) -> String {
    let (whole, rest) = (micros / MICROS, micros % MICROS);
    if rest == 0 {
        return whole.to_string();
    }
    let rest = format!("{rest:06}");
    format!("{whole}.{}", rest.trim_end_matches('0'))
}

fn parse_micros(amount: &str) -> Option<u64> {
    let (whole, rest) = amount.split_once('.').unwrap_or((amount, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || amount.ends_with('.')
        || !is_number(whole)
        || !is_number(rest)
        || rest.len() > DIGITS
    {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let rest: u64 = format!("{rest:0<DIGITS$}").parse().ok()?;
    whole.checked_mul(MICROS)?.checked_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_price_is_an_amount_and_a_currency_and_nothing_else() {
        let price = |micros, currency: &str| {
            let currency = currency.to_owned();
            Some(TokenPrice { micros, currency })
        };
        assert_eq!(TokenPrice::parse("0.008 USD"), price(8_000, "USD"));
        assert_eq!(TokenPrice::parse(" 12 EUR "), price(12_000_000, "EUR"));
        assert_eq!(TokenPrice::parse("0.000001 CHF"), price(1, "CHF"));
        assert_eq!(TokenPrice::parse("0 USD"), price(0, "USD"));
        for bad in [
            "",
            "0.008",
            "USD",
            "0.008USD",
            "$0.008",
            "0,008 USD",
            "0.0000001 USD",
            "-1 USD",
            "1. USD",
            ".5 USD",
            "1e3 USD",
            "1 usd",
            "1 EURO",
            "99999999999999999999 USD",
            "1 USD EUR",
        ] {
            assert_eq!(TokenPrice::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_cost_is_rounded_once_and_never_overflows() {
        let price = TokenPrice::parse("0.008 USD").expect("a price");
        assert_eq!(price.cost_micros(0), 0);
        assert_eq!(price.cost_micros(1_000), 8_000);
        assert_eq!(price.cost_micros(108_412), 867_296);
        let least = TokenPrice::parse("0.000001 USD").expect("a price");
        assert_eq!((least.cost_micros(499), least.cost_micros(500)), (0, 1));
        assert_eq!(price.cost_micros(1 << 60), 1 << 63);
        let most = TokenPrice::parse("18446744073709 USD").expect("a price");
        assert_eq!(most.cost_micros(u64::MAX), u64::MAX);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(micros: u64) {
            let text = format!("{} USD", decimal(micros));
            prop_assert_eq!(TokenPrice::parse(&text).map(|price| price.micros), Some(micros));
        }
    }
}
