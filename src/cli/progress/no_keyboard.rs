//! In the place of `keyboard` on systems whose terminals it cannot read: no key ever comes.

/// There is none.
#[derive(Debug)]
pub(super) enum Keyboard {}

impl Keyboard {
    pub fn open() -> Option<Self> {
        None
    }

    pub fn take(&mut self) {
        match *self {}
    }

    pub fn give_back(&mut self) {
        match *self {}
    }

    #[expect(clippy::unused_async, reason = "as where there are keys")]
    pub async fn key(&mut self) -> u8 {
        match *self {}
    }
}
