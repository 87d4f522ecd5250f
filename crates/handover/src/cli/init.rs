//! `handover init`: a commented project that fits two accounts.
