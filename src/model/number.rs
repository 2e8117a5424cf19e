//! Decimal numbers by value: one spelling for each, whatever the column's type wrote.

/// Largest exponent that is read; beyond it a text is not taken for a number.
/// PostgreSQL's `numeric` ends at 131,072 digits before the point.
const EXPONENT_MAX: i64 = 200_000;

/// Longest plain spelling that is written, in digits and zeros.
/// No identifier or attribute may be longer than 1,000 bytes at the destination.
const PLAIN_DIGITS_MAX: i64 = 1_000;

/// The largest whole number up to which a double holds every whole number: 2^53 - 1.
pub const SAFE_INTEGER_MAX: u64 = 9_007_199_254_740_991;

/// Significant decimal digits that always survive a trip through a double.
const SAFE_DIGITS: usize = 15;

/// A decimal number taken apart: `0.d1d2d3… x 10^point`, digits without zeros at either end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<'a> {
    negative: bool,
    /// Digits before the point of the text; the significant digits are `whole` then `fraction`.
    whole: &'a [u8],
    fraction: &'a [u8],
    point: i64,
}

impl<'a> Number<'a> {
    /// Parses an ASCII decimal such as `-12.50`, `.5` or `1.2E+3`; `None` for anything else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let (negative, unsigned) = match bytes.split_first()? {
            (b'-', rest) => (true, rest),
            (b'+', rest) => (false, rest),
            _ => (false, bytes),
        };
        let (whole, rest) = take_digits(unsigned);
        let (fraction, rest) = match rest.split_first() {
            Some((b'.', rest)) => take_digits(rest),
            _ => (&[][..], rest),
        };
        let exponent = match rest.split_first() {
            None => 0,
            Some((b'e' | b'E', rest)) => parse_exponent(rest)?,
            Some(_) => return None,
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        Some(Self::normalized(negative, whole, fraction, exponent))
    }

    fn normalized(negative: bool, whole: &'a [u8], fraction: &'a [u8], exponent: i64) -> Self {
        let mut whole = trim_start(whole);
        let mut fraction = trim_end(fraction);
        let mut point = whole.len() as i64;
        if whole.is_empty() {
            let trimmed = trim_start(fraction);
            point = trimmed.len() as i64 - fraction.len() as i64;
            fraction = trimmed;
        }
        if fraction.is_empty() {
            whole = trim_end(whole);
        }
        if whole.is_empty() && fraction.is_empty() {
            return Self { negative: false, whole, fraction, point: 0 };
        }
        Self { negative, whole, fraction, point: point + exponent }
    }

    pub(super) fn from_parts(negative: bool, digits: &'a [u8], point: i64) -> Self {
        Self { negative, whole: digits, fraction: &[], point }
    }

    /// Returns whether the number is zero.
    pub fn is_zero(&self) -> bool {
        self.whole.is_empty() && self.fraction.is_empty()
    }

    /// Returns whether the number is below zero.
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// Returns whether the number has no fraction.
    pub fn is_whole(&self) -> bool {
        self.digit_count() as i64 <= self.point || self.is_zero()
    }

    /// Returns where the decimal point stands before the first significant digit moves right:
    /// the number is `0.digits x 10^point`.
    pub(super) fn point(&self) -> i64 {
        self.point
    }

    pub(super) fn digits(&self) -> impl Iterator<Item = u8> + '_ {
        self.whole.iter().chain(self.fraction).map(|digit| digit - b'0')
    }

    fn digit_count(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    /// Returns whether every reader that holds numbers as doubles reads exactly this number:
    /// whole numbers up to [`SAFE_INTEGER_MAX`], others up to 15 significant digits.
    pub fn is_safe_in_json(&self) -> bool {
        if self.is_whole() && self.point <= 16 {
            return self.point <= SAFE_DIGITS as i64
                || self.whole_value().is_some_and(|value| value <= SAFE_INTEGER_MAX);
        }
        self.digit_count() <= SAFE_DIGITS && !self.is_whole() && self.point.abs() < 290
    }

    /// Returns the number when it is whole and fits 64 bits.
    pub fn to_i64(&self) -> Option<i64> {
        if !self.is_whole() || self.point > 19 {
            return None;
        }
        let value = self.whole_value()?;
        if self.negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
    }

    fn whole_value(&self) -> Option<u64> {
        let mut value = 0u64;
        for digit in self.digits() {
            value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
        for _ in self.digit_count() as i64..self.point {
            value = value.checked_mul(10)?;
        }
        Some(value)
    }

    /// Appends the number as JavaScript would print it: plain between 1e-6 and 1e21, else with
    /// an exponent. Equal numbers give equal text; zero has no sign.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        if self.is_zero() {
            out.push(b'0');
            return;
        }
        if (-5..=21).contains(&self.point) {
            self.write_plain_digits(out);
            return;
        }
        if self.negative {
            out.push(b'-');
        }
        let mut digits = self.digits().map(|digit| digit + b'0');
        out.extend(digits.next());
        if self.digit_count() > 1 {
            out.push(b'.');
            out.extend(digits);
        }
        out.push(b'e');
        if self.point > 0 {
            out.push(b'+');
        }
        out.extend_from_slice(itoa::Buffer::new().format(self.point - 1).as_bytes());
    }

    /// Appends the number without an exponent; `false`, and nothing appended, where that would
    /// take more than 1,000 digits.
    pub fn write_plain(&self, out: &mut Vec<u8>) -> bool {
        if self.is_zero() {
            out.push(b'0');
            return true;
        }
        let digits_after = self.digit_count() as i64 - self.point;
        if self.point > PLAIN_DIGITS_MAX || digits_after > PLAIN_DIGITS_MAX {
            return false;
        }
        self.write_plain_digits(out);
        true
    }

    fn write_plain_digits(&self, out: &mut Vec<u8>) {
        if self.negative {
            out.push(b'-');
        }
        if self.point <= 0 {
            out.extend_from_slice(b"0.");
            out.extend((self.point..0).map(|_| b'0'));
        }
        let start = out.len();
        out.extend_from_slice(self.whole);
        out.extend_from_slice(self.fraction);
        let written = self.digit_count() as i64;
        if (1..written).contains(&self.point) {
            out.insert(start + self.point as usize, b'.');
        }
        out.extend((written..self.point).map(|_| b'0'));
    }
}

/// Returns the one spelling of a decimal that is written plainly, with nothing but zeros at its end
/// to take away, and that a double holds; `None` for all others, which [`Number`] takes apart. Saves
/// most numbers of a source that work.
pub fn plain_spelling(text: &[u8]) -> Option<&[u8]> {
    if text.len() > SAFE_DIGITS { None } else { trimmed(text) }
}

/// Returns a number from 0.1 on without the zeros at its end; `None` for one that is not written
/// plainly.
fn trimmed(text: &[u8]) -> Option<&[u8]> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let (first, rest) = unsigned.split_first()?;
    let is_plain = match first {
        b'1'..=b'9' => true,
        b'0' => matches!(rest, [b'.', b'1'..=b'9', ..]),
        _ => false,
    };
    if !is_plain {
        return None;
    }
    let mut point = None;
    let mut end = unsigned.len();
    for (index, byte) in rest.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {}
            b'.' if point.is_none() => point = Some(index + 1),
            _ => return None,
        }
    }
    if let Some(point) = point {
        while end > point && matches!(unsigned.get(end - 1), Some(b'0' | b'.')) {
            end -= 1;
        }
    }
    text.get(..text.len() - unsigned.len() + end)
}

/// Appends the canonical spelling of a finite double: the shortest text that reads back as it.
/// Returns `false`, and appends nothing, for infinities and what is not a number.
pub fn write_json_float(out: &mut Vec<u8>, number: f64) -> bool {
    if !number.is_finite() {
        return false;
    }
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format_finite(number);
    // Its shortest text has as many digits as a double needs, and at most 21 places.
    if let Some(spelling) = trimmed(text.as_bytes()) {
        out.extend_from_slice(spelling);
        return true;
    }
    let Some(parsed) = Number::parse(text) else { return false };
    parsed.write_json(out);
    true
}

/// Takes the decimal digits off the front of a text.
fn take_digits(text: &[u8]) -> (&[u8], &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    text.split_at(count)
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let exponent: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (exponent.abs() <= EXPONENT_MAX).then_some(exponent)
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    digits.get(..digits.len() - zeros).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json(text: &str) -> String {
        let mut out = Vec::new();
        Number::parse(text).unwrap().write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn equal_numbers_have_one_spelling() {
        for (spellings, expected) in [
            (&["0", "-0", "0.000", "0e5", ".0"][..], "0"),
            (&["1", "1.00", "01", "+1", "10e-1", "0.1e1"][..], "1"),
            (&["-12.5", "-12.500", "-1.25e1"][..], "-12.5"),
            (&["100", "1e2", "1E+2"][..], "100"),
            (&["0.000001", "1e-6"][..], "0.000001"),
            (&["0.0000001", "1e-7"][..], "1e-7"),
            (&["1e20", "100000000000000000000"][..], "100000000000000000000"),
            (&["1e21", "1000000000000000000000"][..], "1e+21"),
            (&["1.5e22", "15000000000000000000000"][..], "1.5e+22"),
        ] {
            for spelling in spellings {
                assert_eq!(json(spelling), expected, "{spelling}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_spelling_that_is_plain_already_is_the_one_of_all(text in "-?[0-9]{0,9}(\\.[0-9]{0,9})?") {
            if let Some(spelling) = plain_spelling(text.as_bytes()) {
                let number = Number::parse(&text).unwrap();
                prop_assert!(number.is_safe_in_json());
                prop_assert_eq!(std::str::from_utf8(spelling).unwrap(), json(&text));
            }
        }

        #[test]
        fn a_double_has_the_spelling_of_its_shortest_text(number: f64) {
            let mut out = Vec::new();
            if write_json_float(&mut out, number) {
                prop_assert_eq!(String::from_utf8(out).unwrap(), json(&format!("{number:e}")));
            }
        }
    }

    #[test]
    fn most_numbers_are_plain() {
        for (text, spelling) in
            [("12.50", "12.5"), ("100", "100"), ("-3.00", "-3"), ("0.50", "0.5")]
        {
            assert_eq!(plain_spelling(text.as_bytes()), Some(spelling.as_bytes()));
        }
        for text in ["", "-", "0", "0.05", "01", "1e5", "1.2.3", "1234567890123456", "+1", "-0"] {
            assert_eq!(plain_spelling(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn text_that_is_no_number_is_refused() {
        for text in ["", "-", ".", "1.2.3", "1e", "e5", "NaN", "0x1", "1,5", " 1", "1e999999999"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_safe_exactly_where_a_double_keeps_them() {
        for (text, safe) in [
            ("9007199254740991", true),
            ("9007199254740992", false),
            ("-9007199254740991.0", true),
            ("123456789012345e5", false),
            ("0.123456789012345", true),
            ("0.1234567890123456", false),
            ("1234567.89", true),
            ("1e300", false),
            ("1e-300", false),
        ] {
            assert_eq!(Number::parse(text).unwrap().is_safe_in_json(), safe, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_double_reads_back_from_its_canonical_text(number: f64) {
            let mut out = Vec::new();
            prop_assume!(write_json_float(&mut out, number));

            let read: f64 = std::str::from_utf8(&out).unwrap().parse().unwrap();

            prop_assert_eq!(read, number);
        }

        #[test]
        fn a_whole_number_reads_back(number: i64, zeros in 0usize..4) {
            let text = format!("{number}.{}", "0".repeat(zeros));

            prop_assert_eq!(Number::parse(&text).unwrap().to_i64(), Some(number));
            prop_assert_eq!(json(&text), number.to_string());
        }
    }
}
