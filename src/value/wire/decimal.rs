//! Amounts, digit for digit, whether JSON carries a number or a string.

use serde::de::Error as _;
use serde::{Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::scalar::{Scalar, scalar};
use crate::value::Decimal;

/// Digit for digit, or not at all.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return plain(text);
    };
    // Zeros at the end of a whole number may have no room, and go to the exponent.
    let shorter = || {
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fewer = whole.trim_end_matches('0');
        let is_whole = fraction.bytes().all(|byte| byte == b'0');
        let zeros = i64::try_from(whole.len() - fewer.len()).ok()?;
        plain(fewer).filter(|_| is_whole).map(|mantissa| (mantissa, zeros))
    };
    let (mantissa, zeros) = plain(mantissa).map(|mantissa| (mantissa, 0)).or_else(shorter)?;
    let (mut digits, mut scale) = (mantissa.mantissa(), i64::from(mantissa.scale()));
    scale = scale.checked_sub(zeros)?.checked_sub(exponent.parse().ok()?)?;
    if digits == 0 {
        return Some(Decimal::ZERO);
    }
    while scale < 0 {
        digits = digits.checked_mul(10)?;
        scale += 1;
    }
    while scale > i64::from(Decimal::MAX_SCALE) && digits % 10 == 0 {
        digits /= 10;
        scale -= 1;
    }
    Decimal::try_from_i128_with_scale(digits, u32::try_from(scale).ok()?).ok()
}

/// Without an exponent. Zeros at the end that have no room are no digits that are lost.
fn plain(text: &str) -> Option<Decimal> {
    // What reads it takes `1_000` for a number.
    if !text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte)) {
        return None;
    }
    let shorter = || {
        let (whole, fraction) = text.split_once('.')?;
        let fraction = fraction.trim_end_matches('0');
        Decimal::from_str_exact(&format!("{whole}.{fraction}")).ok()
    };
    Decimal::from_str_exact(text).ok().or_else(shorter)
}

const A_DECIMAL: &str = "a decimal of at most 28 digits";

/// A decimal that is a JSON number on the wire; a string is read too.
pub mod decimal_number {
    use super::*;

    /// Writes a JSON number with the decimal's own digits.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error as _;
        // A `Decimal` is written as JSON has numbers: this cannot fail.
        let raw = RawValue::from_string(value.to_string()).map_err(|_| S::Error::custom("not a number"))?;
        raw.serialize(serializer)
    }

    /// Reads a number or a string, digit for digit.
    ///
    /// # Errors
    ///
    /// When it is no decimal, or has more digits than a decimal holds.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
        match scalar(deserializer, A_DECIMAL)? {
            Scalar::Text(text) | Scalar::Bare(text) => decimal(&text),
            Scalar::Null => None,
        }
        .ok_or_else(|| D::Error::custom(format!("expected {A_DECIMAL}")))
    }

    /// The same for a value that may be absent.
    pub mod option {
        use super::*;

        /// Writes a JSON number, or `null`.
        ///
        /// # Errors
        ///
        /// As the serializer.
        #[allow(clippy::ref_option)]
        pub fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }

        /// Reads a number, a string, `null` or an empty string.
        ///
        /// # Errors
        ///
        /// When it is no decimal, or has more digits than a decimal holds.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
            let text = match scalar(deserializer, A_DECIMAL)? {
                Scalar::Null => return Ok(None),
                Scalar::Text(text) if text.trim().is_empty() => return Ok(None),
                Scalar::Text(text) | Scalar::Bare(text) => text,
            };
            decimal(&text)
                .map(Some)
                .ok_or_else(|| D::Error::custom(format!("expected {A_DECIMAL}")))
        }
    }
}

/// A decimal that is a JSON string on the wire; a number is read too.
pub mod decimal_string {
    use super::*;

    pub use super::decimal_number::deserialize;

    /// Writes a JSON string with the decimal's own digits.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    /// The same for a value that may be absent.
    pub mod option {
        use super::*;

        pub use super::super::decimal_number::option::deserialize;

        /// Writes a JSON string, or `null`.
        ///
        /// # Errors
        ///
        /// As the serializer.
        #[allow(clippy::ref_option)]
        pub fn serialize<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
            match value {
                Some(value) => super::serialize(value, serializer),
                None => serializer.serialize_none(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    struct Amounts {
        #[serde(with = "decimal_number")]
        number: Decimal,
        #[serde(with = "decimal_string")]
        string: Decimal,
        #[serde(default, with = "decimal_number::option", skip_serializing_if = "Option::is_none")]
        maybe: Option<Decimal>,
    }

    #[test]
    fn decimals_survive_digit_for_digit_as_number_and_as_string() {
        let text = r#"{"number":12345678901234567.89,"string":"12345678901234567.89","maybe":0.10}"#;
        let amounts: Amounts = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&amounts).unwrap(), text);
        let swapped = r#"{"number":"12345678901234567.89","string":12345678901234567.89,"maybe":"0.10"}"#;
        assert_eq!(serde_json::from_str::<Amounts>(swapped).unwrap(), amounts);
    }

    #[test]
    fn a_decimal_with_too_many_digits_is_refused_and_not_rounded() {
        let text = r#"{"number":0.12345678901234567890123456789,"string":"1"}"#;
        let error = serde_json::from_str::<Amounts>(text).unwrap_err().to_string();
        assert!(error.contains("28 digits") && !error.contains("0.123"), "{error}");
    }

    #[test]
    fn decimals_are_read_from_every_form_that_json_has() {
        for (form, expected) in [
            ("1e3", "1000"),
            ("-0.5", "-0.5"),
            ("\" 7.00 \"", "7.00"),
            ("1.5E-2", "0.015"),
            ("1.50e+1", "15.0"),
            ("0e999", "0"),
            ("1.0000000000000000000000000000000000", "1"),
            ("-100.5000000000000000000000000000000", "-100.5"),
            ("0.00000000000000000000000000000000", "0"),
            ("1.00000000000000000000000000000000e2", "100"),
            ("12345678901234567.89e0", "12345678901234567.89"),
            ("10000000000000000000000000000000e-10", "1000000000000000000000"),
            ("-12000000000000000000000000000000.00e-31", "-1.2"),
            ("\"0000000000000000000000000000000000e-3\"", "0"),
            ("1.0e-28", "0.0000000000000000000000000001"),
            ("1.0e-27", "0.0000000000000000000000000010"),
            ("79228162514264337593543950335e0", "79228162514264337593543950335"),
        ] {
            let text = format!(r#"{{"number":{form},"string":"1"}}"#);
            assert_eq!(
                serde_json::from_str::<Amounts>(&text).unwrap().number.to_string(),
                expected
            );
        }
        for form in [
            "true",
            "[1]",
            "{}",
            "null",
            "\"\"",
            "\"abc\"",
            "1e-29",
            "1.2e-28",
            "1e29",
            "1e99999999999",
            "10000000000000000000000000000000.01e-10",
            "12345678901234567890123456789012e-10",
            "\"-e-3\"",
            "-1.5e-28",
            "79228162514264337593543950336e0",
            "\"1_000.00\"",
            "\"1_0e2\"",
            "\"1,234.56\"",
            "\"1 000\"",
            "\"NaN\"",
            "\"0x10\"",
            "\"1.00000000000000000000000000000000001\"",
            "\"1e\"",
            "\"e1\"",
        ] {
            let text = format!(r#"{{"number":{form},"string":"1"}}"#);
            assert!(serde_json::from_str::<Amounts>(&text).is_err(), "{form}");
        }
    }

    #[test]
    fn an_amount_that_may_be_absent_is_so_as_null_and_as_an_empty_text() {
        #[derive(Serialize, Deserialize)]
        struct Maybe {
            #[serde(with = "decimal_number::option")]
            number: Option<Decimal>,
            #[serde(with = "decimal_string::option")]
            string: Option<Decimal>,
        }
        for (form, number, string) in [
            ("null", "null", "null"),
            ("\"\"", "null", "null"),
            ("\" \"", "null", "null"),
            ("1.50", "1.50", "\"1.50\""),
            ("\"1.50\"", "1.50", "\"1.50\""),
        ] {
            let read: Maybe = serde_json::from_str(&format!(r#"{{"number":{form},"string":{form}}}"#)).unwrap();
            let expected = format!(r#"{{"number":{number},"string":{string}}}"#);
            assert_eq!(serde_json::to_string(&read).unwrap(), expected, "{form}");
        }
        for form in ["\"x\"", "true", "[]"] {
            assert!(serde_json::from_str::<Maybe>(&format!(r#"{{"number":{form},"string":null}}"#)).is_err());
        }
        let absent: Amounts = serde_json::from_str(r#"{"number":1,"string":"1","maybe":null}"#).unwrap();
        assert_eq!(absent.maybe, None);
    }
}
