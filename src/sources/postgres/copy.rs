//! The binary form of `copy … to stdout`: what comes before the rows, the rows, and their end.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

use super::decode::Malformed;

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Set where each row begins with its OID, which no server has done since version 12.
const FLAG_OIDS: u32 = 1 << 16;

/// The count of fields that stands for the end.
const END: i16 = -1;

/// One row: its fields with their lengths.
#[derive(Clone, Copy)]
pub(super) struct Tuple<'a> {
    fields: &'a [u8],
}

impl<'a> Tuple<'a> {
    /// Returns the fields in order, `None` for null.
    pub(super) fn fields(&self) -> impl Iterator<Item = Option<&'a [u8]>> + use<'a> {
        let mut rest = self.fields;
        std::iter::from_fn(move || take_field(&mut rest))
    }
}

/// Where a stream of messages stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Rows,
    End,
}

/// Cuts the stream into rows. A message mostly holds one row; nothing relies on it.
pub(super) struct Tuples {
    width: usize,
    place: Place,
    /// The beginning of a row whose rest has not come yet.
    unfinished: Vec<u8>,
}

impl Tuples {
    /// Returns the cutter of a stream of rows with `width` fields.
    pub(super) fn new(width: usize) -> Self {
        Self { width, place: Place::Header, unfinished: Vec::new() }
    }

    /// Gives `take` each row that ends in `message`.
    ///
    /// # Errors
    /// Those of `take`, and where the bytes are not what the server announced.
    pub(super) fn read<E: From<Malformed>>(
        &mut self,
        message: &[u8],
        mut take: impl FnMut(Tuple<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.unfinished.is_empty() {
            let mut input = message;
            self.cut(&mut input, &mut take)?;
            self.unfinished.extend_from_slice(input);
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.unfinished);
        bytes.extend_from_slice(message);
        let mut input = bytes.as_slice();
        self.cut(&mut input, &mut take)?;
        let cut = bytes.len() - input.len();
        bytes.drain(..cut);
        self.unfinished = bytes;
        Ok(())
    }

    /// Returns whether the end was said. A stream that ends without it broke off.
    pub(super) fn has_ended(&self) -> bool {
        self.place == Place::End && self.unfinished.is_empty()
    }

    /// Takes what is whole off the front of `input`.
    fn cut<E: From<Malformed>>(
        &mut self,
        input: &mut &[u8],
        take: &mut impl FnMut(Tuple<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.place == Place::Header {
            let Some(rest) = behind_header(input)? else { return Ok(()) };
            *input = rest;
            self.place = Place::Rows;
        }
        while let Some((count, rest)) = input.split_first_chunk::<2>() {
            let count = i16::from_be_bytes(*count);
            if self.place == Place::End {
                return Err(Malformed.into());
            }
            if count == END {
                self.place = Place::End;
                *input = rest;
                continue;
            }
            if usize::try_from(count) != Ok(self.width) {
                return Err(Malformed.into());
            }
            let mut behind = rest;
            if (0..self.width).any(|_| take_field(&mut behind).is_none()) {
                return Ok(());
            }
            let fields = rest.get(..rest.len() - behind.len()).unwrap_or_default();
            *input = behind;
            take(Tuple { fields })?;
        }
        Ok(())
    }
}

/// Returns what follows the header; `None` where it is not all there yet.
fn behind_header(input: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let Some((signature, rest)) = input.split_first_chunk::<11>() else { return Ok(None) };
    let Some((flags, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    let Some((extension, rest)) = rest.split_first_chunk::<4>() else { return Ok(None) };
    if signature != SIGNATURE || u32::from_be_bytes(*flags) & FLAG_OIDS != 0 {
        return Err(Malformed);
    }
    Ok(rest.get(u32::from_be_bytes(*extension) as usize..))
}

/// Takes a field off the front: its bytes, or `None` inside for null; nothing where it is cut off.
fn take_field<'a>(input: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (len, rest) = input.split_first_chunk::<4>()?;
    let Ok(len) = usize::try_from(i32::from_be_bytes(*len)) else {
        *input = rest;
        return Some(None);
    };
    let (field, rest) = rest.split_at_checked(len)?;
    *input = rest;
    Some(Some(field))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Fields = Vec<Option<Vec<u8>>>;

    fn encoded(rows: &[Fields]) -> Vec<u8> {
        let mut bytes = [SIGNATURE.as_slice(), &[0; 4], &[0, 0, 0, 2, 7, 7]].concat();
        for row in rows {
            bytes.extend_from_slice(&(row.len() as i16).to_be_bytes());
            for field in row {
                let len = field.as_ref().map_or(-1, |field| field.len() as i32);
                bytes.extend_from_slice(&len.to_be_bytes());
                bytes.extend_from_slice(field.as_deref().unwrap_or_default());
            }
        }
        bytes.extend_from_slice(&END.to_be_bytes());
        bytes
    }

    fn read(tuples: &mut Tuples, message: &[u8]) -> Result<Vec<Fields>, Malformed> {
        let mut rows = Vec::new();
        tuples.read(message, |tuple| {
            rows.push(tuple.fields().map(|field| field.map(<[u8]>::to_vec)).collect());
            Ok(())
        })?;
        Ok(rows)
    }

    fn rows() -> impl Strategy<Value = Vec<Fields>> {
        let field = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20));
        proptest::collection::vec(proptest::collection::vec(field, 3), 0..10)
    }

    proptest! {
        #[test]
        fn rows_come_out_whole_wherever_messages_are_cut(rows in rows(), size in 1usize..200) {
            let mut tuples = Tuples::new(3);
            let mut found = Vec::new();

            for message in encoded(&rows).chunks(size) {
                prop_assert!(!tuples.has_ended());
                found.extend(read(&mut tuples, message).unwrap());
            }

            prop_assert_eq!(found, rows);
            prop_assert!(tuples.has_ended());
        }

        #[test]
        fn rubbish_is_refused_or_waited_on_without_a_panic(bytes: Vec<u8>) {
            let _ = read(&mut Tuples::new(2), &[SIGNATURE.as_slice(), &[0; 8], &bytes].concat());
        }
    }

    #[test]
    fn rows_of_another_width_and_bytes_behind_the_end_are_refused() {
        let one = encoded(&[vec![None]]);

        assert!(read(&mut Tuples::new(2), &one).is_err());
        assert!(read(&mut Tuples::new(1), &[one.as_slice(), &[0, 1]].concat()).is_err());
        assert!(read(&mut Tuples::new(1), b"PGCOPY\n\xff\r\n\x01\0\0\0\0\0\0\0\0").is_err());
    }
}
