//! `handover`: moves a company from one CRM to another, with proof.

fn main() -> std::process::ExitCode {
    handover::cli::main()
}
