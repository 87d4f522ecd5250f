//! `handover demo`: the whole story on two local CRMs.
