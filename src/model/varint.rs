//! Variable-length numbers (LEB128), as the codecs on disk write them.

/// Appends `number` in one to ten bytes.
#[inline]
pub fn write(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Takes a number off the front of `input`; `None` where it is cut off or longer than 64 bits.
#[inline]
pub fn read(input: &mut &[u8]) -> Option<u64> {
    // Nearly all numbers are lengths below 128.
    match input.split_first()? {
        (&byte, rest) if byte < 0x80 => {
            *input = rest;
            Some(byte.into())
        }
        _ => read_long(input),
    }
}

fn read_long(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Appends the length of `bytes` and then `bytes`.
#[inline]
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Takes a length and that many bytes off the front of `input`.
#[inline]
pub fn read_bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(read(input)?).ok()?;
    let (bytes, rest) = input.split_at_checked(len)?;
    *input = rest;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_back(number: u64, bytes: Vec<u8>) {
            let mut out = Vec::new();
            write(&mut out, number);
            write_bytes(&mut out, &bytes);

            let mut input = out.as_slice();

            prop_assert_eq!(read(&mut input), Some(number));
            prop_assert_eq!(read_bytes(&mut input), Some(bytes.as_slice()));
            prop_assert!(input.is_empty());
        }

        #[test]
        fn rubbish_never_panics(bytes: Vec<u8>) {
            let mut input = bytes.as_slice();
            while read_bytes(&mut input).is_some() {}
        }
    }
}
