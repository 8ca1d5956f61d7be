//! The wire format of Protocol Buffers: fields in a row, each with its number and one of four forms.

use std::borrow::Cow;

use crate::otlp::malformed::Malformed;

/// Reads the fields of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    left: &'a [u8],
    /// Bytes of the body up to the end of this message.
    end: usize,
}

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    wire: Wire<'a>,
    /// The place in the body at which its value ends.
    end: usize,
}

#[derive(Clone, Copy, Debug)]
enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
    /// An old form that no message of OTLP has.
    Group,
}

impl<'a> Reader<'a> {
    /// Of a whole body.
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self {
            left: body,
            end: body.len(),
        }
    }

    /// The next field; nothing at the end of the message.
    ///
    /// # Errors
    /// The message is cut short, or a field has a form that there is not.
    pub(super) fn next(&mut self) -> Result<Option<Field<'a>>, Malformed> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3)
            .ok()
            .filter(|number| (1..1 << 29).contains(number))
            .ok_or_else(|| self.wrong("a field has a number that no field may have"))?;
        let wire = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = self.varint()?;
                // A length beyond `usize` is beyond the message, too: `take` refuses it.
                Wire::Bytes(self.take(usize::try_from(length).unwrap_or(usize::MAX))?)
            }
            3 => {
                self.skip_group()?;
                Wire::Group
            }
            5 => {
                self.take(4)?;
                Wire::Fixed32
            }
            form => {
                return Err(self.wrong(format_args!(
                    "field {number} has the wire type {form}, which there is not"
                )));
            }
        };
        Ok(Some(Field {
            number,
            wire,
            end: self.at(),
        }))
    }

    /// The current place in the body.
    fn at(&self) -> usize {
        self.end - self.left.len()
    }

    fn wrong(&self, what: impl std::fmt::Display) -> Malformed {
        Malformed::new(format_args!("at byte {} of the body, {what}", self.at()))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        match self.left.split_at_checked(length) {
            Some((taken, left)) => {
                self.left = left;
                Ok(taken)
            }
            None => Err(self.wrong(format_args!(
                "a field of {length} bytes is cut short: the message has {} more",
                self.left.len()
            ))),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("so many bytes were taken"))
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        // Most numbers are tags and lengths of one byte.
        if let [byte @ 0..0x80, left @ ..] = self.left {
            self.left = left;
            return Ok(u64::from(*byte));
        }
        let mut number = 0;
        for (place, byte) in self.left.iter().take(10).enumerate() {
            // Of the tenth byte, one bit has room.
            number |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 && (place < 9 || *byte < 2) {
                self.left = &self.left[place + 1..];
                return Ok(number);
            }
        }
        Err(self.wrong("a number of variable length does not end"))
    }

    /// Skips fields up to the end of a group, and the groups within it.
    fn skip_group(&mut self) -> Result<(), Malformed> {
        // The depth is counted without recursion: groups may be nested as deep as the body is long.
        let mut depth = 1;
        while depth > 0 {
            match self.varint()? & 7 {
                0 => _ = self.varint()?,
                1 => _ = self.take(8)?,
                2 => {
                    let length = self.varint()?;
                    self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
                }
                3 => depth += 1,
                4 => depth -= 1,
                5 => _ = self.take(4)?,
                form => {
                    return Err(self.wrong(format_args!(
                        "a field has the wire type {form}, which there is not"
                    )));
                }
            }
        }
        Ok(())
    }
}

impl<'a> Field<'a> {
    fn wrong(&self, wanted: &str) -> Malformed {
        let form = match self.wire {
            Wire::Varint(_) => "a number of variable length",
            Wire::Fixed64(_) => "8 bytes",
            Wire::Bytes(_) => "a length and so many bytes",
            Wire::Fixed32 => "4 bytes",
            Wire::Group => "a group",
        };
        Malformed::new(format_args!(
            "before byte {} of the body, field {} is {form} and should be {wanted}",
            self.end, self.number
        ))
    }

    pub(super) fn bytes(&self) -> Result<&'a [u8], Malformed> {
        match self.wire {
            Wire::Bytes(bytes) => Ok(bytes),
            _ => Err(self.wrong("a length and so many bytes")),
        }
    }

    pub(super) fn message(&self) -> Result<Reader<'a>, Malformed> {
        Ok(Reader {
            left: self.bytes()?,
            end: self.end,
        })
    }

    /// A text. Bytes that are no UTF-8 are replaced.
    pub(super) fn text(&self) -> Result<Cow<'a, str>, Malformed> {
        let bytes = self.bytes()?;
        Ok(std::str::from_utf8(bytes)
            .map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed))
    }

    pub(super) fn varint(&self) -> Result<u64, Malformed> {
        match self.wire {
            Wire::Varint(number) => Ok(number),
            _ => Err(self.wrong("a number of variable length")),
        }
    }

    pub(super) fn bool(&self) -> Result<bool, Malformed> {
        Ok(self.varint()? != 0)
    }

    #[expect(
        clippy::cast_possible_wrap,
        reason = "negative numbers are sent in two's complement"
    )]
    pub(super) fn int(&self) -> Result<i64, Malformed> {
        Ok(self.varint()? as i64)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "as Protocol Buffers does it"
    )]
    pub(super) fn int32(&self) -> Result<i32, Malformed> {
        Ok(self.int()? as i32)
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "as Protocol Buffers does it"
    )]
    pub(super) fn uint32(&self) -> Result<u32, Malformed> {
        Ok(self.varint()? as u32)
    }

    /// A number of which the lowest bit is the sign.
    pub(super) fn zigzag32(&self) -> Result<i32, Malformed> {
        let number = self.uint32()?;
        Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(super) fn fixed64(&self) -> Result<u64, Malformed> {
        match self.wire {
            Wire::Fixed64(number) => Ok(number),
            _ => Err(self.wrong("8 bytes")),
        }
    }

    pub(super) fn double(&self) -> Result<f64, Malformed> {
        self.fixed64().map(f64::from_bits)
    }

    /// Numbers of 8 bytes each: packed, or one of them.
    pub(super) fn each_fixed64(&self, mut take: impl FnMut(u64)) -> Result<(), Malformed> {
        let Wire::Bytes(bytes) = self.wire else {
            take(self.fixed64()?);
            return Ok(());
        };
        let (numbers, left) = bytes.as_chunks::<8>();
        if !left.is_empty() {
            return Err(self.wrong("numbers of 8 bytes each"));
        }
        numbers
            .iter()
            .for_each(|bytes| take(u64::from_le_bytes(*bytes)));
        Ok(())
    }

    /// Numbers of variable length: packed, or one of them.
    pub(super) fn each_varint(&self, mut take: impl FnMut(u64)) -> Result<(), Malformed> {
        if let Wire::Varint(number) = self.wire {
            take(number);
            return Ok(());
        }
        let mut numbers = self.message()?;
        while !numbers.left.is_empty() {
            take(numbers.varint()?);
        }
        Ok(())
    }
}
