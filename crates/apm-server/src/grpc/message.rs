//! The one message of a call: a flag, its length, its bytes.

use actix_web::web::Bytes;
use apm_intake::{Compression, ExportError, Limits};
use futures_util::Stream;
use futures_util::stream;
use h2::RecvStream;
use tokio::time::timeout;

use crate::otlp::{Code, Status};

/// The flag and the length, bytes.
const PREFIX: usize = 5;

/// A message whose length is known.
pub(super) struct Message {
    body: RecvStream,
    /// Bytes that came along with the prefix.
    first: Bytes,
    /// Bytes of the message.
    left: usize,
    compression: Compression,
}

/// The caller has ended the call before the end of its message.
#[derive(Debug)]
pub(super) struct Cut;

impl Message {
    /// Reads the prefix. `compression`: that of messages which say that they are compressed.
    pub(super) async fn begin(
        mut body: RecvStream,
        compression: Compression,
        limits: Limits,
    ) -> Result<Self, Status> {
        let mut prefix = Vec::with_capacity(PREFIX);
        let mut first = Bytes::new();
        let read = async {
            // The prefix may come in several frames, and the last of these may hold the first bytes of the message.
            while prefix.len() < PREFIX {
                first = next(&mut body).await.ok_or(Cut)?.map_err(|_| Cut)?;
                let missing = (PREFIX - prefix.len()).min(first.len());
                prefix.extend_from_slice(&first.split_to(missing));
            }
            Ok::<_, Cut>(())
        };
        match timeout(limits.line, read).await {
            Err(_) => return Err(Status::from(&ExportError::Late(limits.line))),
            Ok(Err(Cut)) => return Err(Status::from(&ExportError::Cut)),
            Ok(Ok(())) => {}
        }
        let [flag, length @ ..] = &prefix[..] else {
            return Err(Status::from(&ExportError::Cut));
        };
        let length = <[u8; 4]>::try_from(length).map_or(u32::MAX, u32::from_be_bytes);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > limits.export {
            return Err(Status::from(&ExportError::TooLarge(limits.export)));
        }
        let compression = match (flag, compression) {
            (0, _) => Compression::None,
            (1, Compression::None) => {
                let message = "the message is compressed, but grpc-encoding does not say how";
                return Err(Status::new(Code::Internal, message));
            }
            (1, compression) => compression,
            _ => {
                let message = "the message begins with a flag that is neither 0 nor 1";
                return Err(Status::new(Code::Internal, message));
            }
        };
        Ok(Self {
            body,
            first,
            left: length,
            compression,
        })
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// The bytes of the message as they arrive. Bytes after it are not read.
    pub(super) fn chunks(self) -> impl Stream<Item = Result<Bytes, Cut>> {
        stream::unfold(Some(self), |message| async move {
            let mut message = message?;
            if message.left == 0 {
                return None;
            }
            let mut chunk = std::mem::take(&mut message.first);
            if chunk.is_empty() {
                match next(&mut message.body).await {
                    Some(Ok(next)) => chunk = next,
                    Some(Err(_)) | None => return Some((Err(Cut), None)),
                }
            }
            chunk.truncate(message.left);
            message.left -= chunk.len();
            Some((Ok(chunk), Some(message)))
        })
    }
}

/// The next bytes of a call. The sender may send as many more.
async fn next(body: &mut RecvStream) -> Option<Result<Bytes, h2::Error>> {
    let chunk = body.data().await?;
    Some(chunk.inspect(|chunk| {
        // Fails where the stream has ended, which is told with the next bytes.
        let _ = body.flow_control().release_capacity(chunk.len());
    }))
}
