//! Errors as the API words them (sheet: section 7): `{"error": {"code", "message"}}`.

use serde_json::{Value as Json, json};

use crate::Reply;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) status: u16,
    /// `0x80040217`, or empty.
    pub(super) code: String,
    pub(super) message: String,
    pub(super) headers: Vec<(String, String)>,
}

/// The code of errors that the OData layer finds, unless the settings say another.
pub(super) const ODATA: &str = "odata";

impl Fault {
    pub(super) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into(), headers: Vec::new() }
    }

    /// What the OData layer refuses before any record is looked at.
    pub(super) fn odata(message: impl Into<String>) -> Self {
        Self::new(400, ODATA, message)
    }

    /// A body that does not fit the table (sheet: section 7 \[issue\]).
    pub(super) fn payload(set: &str, why: &str) -> Self {
        let message = format!(
            "Error identified in Payload provided by the user for Entity :'{set}', For more information on this error \
             please follow this help link https://go.microsoft.com/fwlink/?linkid=2195293  ---->  InnerException : {why}"
        );
        Self::new(400, "0x80048d19", message)
    }

    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self::new(400, "0x80040203", message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "0x8005f100", message)
    }

    pub(super) fn no_row(table: &str, id: &str) -> Self {
        Self::new(404, "0x80040217", format!("{table} With Id = {id} Does Not Exist"))
    }

    pub(super) fn no_segment(segment: &str) -> Self {
        Self {
            code: "no segment".to_owned(),
            ..Self::new(404, "", format!("Resource not found for the segment '{segment}'."))
        }
    }

    pub(super) fn no_property(property: &str, table: &str) -> Self {
        Self::odata(format!("Could not find a property named '{property}' on type 'Microsoft.Dynamics.CRM.{table}'."))
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "0x80040220", message)
    }

    pub(super) fn not_allowed(method: &str) -> Self {
        Self::new(405, "0x80060888", format!("The requested resource does not support http method '{method}'."))
    }

    pub(super) fn exists() -> Self {
        Self::new(412, "0x80040237", "A record with matching key values already exists.")
    }

    /// The body; `detailed` adds what `Prefer: odata.include-annotations="*"` asks for.
    pub(super) fn body(&self, detailed: bool) -> Json {
        let mut error = json!({"code": self.code, "message": self.message});
        if detailed {
            let link = format!(
                "http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException%3a{}",
                self.code
            );
            error["@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus"] = json!("0");
            error["@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode"] = json!("2147746581");
            error["@Microsoft.PowerApps.CDS.HelpLink"] = json!(link);
            error["@Microsoft.PowerApps.CDS.InnerError.Message"] = json!(self.message);
        }
        json!({ "error": error })
    }

    /// The reply; codes of the OData layer are what the settings say (sheet: section 7 \[unsure\]).
    pub(super) fn reply(&self, odata_code: &str, detailed: bool) -> Reply {
        let mut fault = self.clone();
        match fault.code.as_str() {
            ODATA => odata_code.clone_into(&mut fault.code),
            "no segment" => fault.code = if odata_code.is_empty() { String::new() } else { "0x0".to_owned() },
            _ => {}
        }
        let mut reply = Reply::json(fault.status, &fault.body(detailed));
        reply.headers.extend(fault.headers);
        reply
    }
}

/// What a route gives.
pub(super) type Answer = Result<Reply, Fault>;

/// 204.
pub(super) fn no_content() -> Reply {
    Reply { status: 204, headers: Vec::new(), body: Vec::new() }
}
