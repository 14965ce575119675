//! One serial port of the test machine: its whole text so far, waiting for a phrase, typing.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How many lines of a log a failure shows.
const TAIL_LINES: usize = 40;

/// Our end of a serial port.
pub struct Console {
    stream: UnixStream,
    incoming: Receiver<String>,
    text: String,
    /// Everything before it was waited for already.
    position: usize,
}

/// Why a phrase was not seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unseen {
    /// Not in the given time.
    Silence,
    /// The other side closed the port.
    Ended,
}

impl Console {
    /// Starts to read `stream`, keeping a copy of every byte in `log`.
    ///
    /// # Errors
    /// Those of duplicating the stream.
    pub fn open(stream: UnixStream, mut log: File) -> std::io::Result<Self> {
        let mut reader = stream.try_clone()?;
        let (sender, incoming) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                let bytes = buffer.get(..length).unwrap_or_default();
                // The log is for the reader of a failure; a full disk shows itself elsewhere.
                let _ = log.write_all(bytes);
                if sender.send(String::from_utf8_lossy(bytes).into_owned()).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            stream,
            incoming,
            text: String::new(),
            position: 0,
        })
    }

    /// Waits for `phrase` after everything waited for before; returns the text between.
    ///
    /// # Errors
    /// [`Unseen`].
    pub fn wait_for(&mut self, phrase: &str, patience: Duration) -> Result<String, Unseen> {
        let deadline = Instant::now() + patience;
        loop {
            let rest = self.text.get(self.position..).unwrap_or_default();
            if let Some(found) = rest.find(phrase) {
                let before = rest.get(..found).unwrap_or_default().to_owned();
                self.position += found + phrase.len();
                return Ok(before);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.incoming.recv_timeout(left) {
                Ok(chunk) => self.text.push_str(&chunk),
                Err(RecvTimeoutError::Timeout) => return Err(Unseen::Silence),
                Err(RecvTimeoutError::Disconnected) => return Err(Unseen::Ended),
            }
        }
    }

    /// Waits until the other side closes the port.
    ///
    /// # Errors
    /// [`Unseen::Silence`] if it does not.
    pub fn wait_end(&mut self, patience: Duration) -> Result<(), Unseen> {
        let deadline = Instant::now() + patience;
        loop {
            match self
                .incoming
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(chunk) => self.text.push_str(&chunk),
                Err(RecvTimeoutError::Timeout) => return Err(Unseen::Silence),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Makes the last `phrase` waited for be seen again.
    pub(crate) const fn rewind(&mut self, phrase: &str) {
        self.position = self.position.saturating_sub(phrase.len());
    }

    /// Types `text`.
    ///
    /// # Errors
    /// Those of writing to a closed port.
    pub fn type_text(&mut self, text: &str) -> std::io::Result<()> {
        self.stream.write_all(text.as_bytes())
    }

    /// Another handle to type with.
    ///
    /// # Errors
    /// Those of duplicating the stream.
    pub fn writer(&self) -> std::io::Result<UnixStream> {
        self.stream.try_clone()
    }

    /// Copies what arrives to `screen` until the other side closes the port.
    ///
    /// # Errors
    /// Those of `screen`.
    pub fn show(&mut self, screen: &mut dyn Write) -> std::io::Result<()> {
        while let Ok(chunk) = self.incoming.recv() {
            screen.write_all(chunk.as_bytes())?;
            screen.flush()?;
        }
        Ok(())
    }

    /// Everything received until now, without waiting.
    pub fn text(&mut self) -> &str {
        while let Ok(chunk) = self.incoming.try_recv() {
            self.text.push_str(&chunk);
        }
        &self.text
    }

    /// The last lines received.
    pub fn tail(&mut self) -> String {
        let lines: Vec<&str> = self.text().lines().collect();
        let first = lines.len().saturating_sub(TAIL_LINES);
        lines.get(first..).unwrap_or_default().join("\n")
    }
}
