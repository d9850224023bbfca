//! One fact that stands on a document twice, or that its text has to fulfil: does it hold?

/// Result of comparing what was read with something else on the same document, or with a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FieldCheck {
    /// Both were read, and they agree.
    Verified,
    /// Both were read, and they differ.
    Refuted,
    /// One of them could not be read, or is not on the document: nothing is known.
    #[default]
    NotRead,
}

impl FieldCheck {
    /// Verified or refuted.
    pub const fn of(holds: bool) -> Self {
        if holds { Self::Verified } else { Self::Refuted }
    }

    /// Verified or refuted if it could be looked at, otherwise not read.
    pub const fn of_option(holds: Option<bool>) -> Self {
        match holds {
            Some(holds) => Self::of(holds),
            None => Self::NotRead,
        }
    }

    /// The word of outcomes and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Refuted => "refuted",
            Self::NotRead => "not_read",
        }
    }
}
