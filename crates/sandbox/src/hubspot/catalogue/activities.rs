//! Properties of the timeline: notes, calls, meetings, tasks, e-mails, communications, postal mail
//! (sheet: HubSpot section 2.4 \[doc D8\]; the ones it marks with a star are from general knowledge).

/// Properties that all of them share.
pub(super) const SHARED: &str = "\
hs_timestamp | Activity date | INFO | datetime/date | |
hs_activity_type | Activity type | INFO | enumeration/select | ext |
hs_attachment_ids | Attached file IDs | INFO | enumeration/checkbox | ext |
hs_engagement_source | Engagement source | INFO | string/text | ro |
hs_engagement_source_id | Engagement source ID | INFO | string/text | ro |
hs_at_mentioned_owner_ids | At-mentioned owner IDs | INFO | enumeration/checkbox | ext |
hs_body_preview | Body preview | INFO | string/textarea | calc |
hs_body_preview_html | HTML body preview | INFO | string/html | calc |
hs_body_preview_is_truncated | Body preview truncated | INFO | bool/booleancheckbox | calc |
hs_follow_up_action | Follow up action | INFO | string/text | |
hs_queue_membership_ids | Queue memberships | INFO | enumeration/checkbox | ext |
hs_product_name | Product name | INFO | string/text | ro hid |
";

/// Notes.
pub(super) const NOTES: &str = "\
hs_note_body | Note body | INFO | string/html | |
hs_note_ms_teams_payload | Teams payload | INFO | string/text | hid |
";

/// Calls.
pub(super) const CALLS: &str = "\
hs_call_title | Call title | INFO | string/text | |
hs_call_body | Call notes | INFO | string/html | |
hs_call_direction | Call direction | INFO | enumeration/select | | INBOUND=Inbound;OUTBOUND=Outbound
hs_call_disposition | Call outcome | INFO | enumeration/select | ext | 9d9162e7-6cf3-4944-bf63-4dff82258764=Busy;f240bbac-87c9-4f6e-bf70-924b57d47db7=Connected;a4c4c377-d246-4b32-a13b-75a56a4cd0ff=Left live message;b2cf5968-551e-4856-9783-52b3da59a7d0=Left voicemail;73a0d17f-1163-4015-bdd5-ec830791da20=No answer;17b47fee-58de-441e-a44c-c6300d46f273=Wrong number
hs_call_duration | Call duration | INFO | number/number | |
hs_call_from_number | From number | INFO | string/text | |
hs_call_to_number | To number | INFO | string/text | |
hs_call_status | Call status | INFO | enumeration/select | | BUSY=Busy;CALLING_CRM_USER=Calling CRM user;CANCELED=Canceled;COMPLETED=Completed;CONNECTING=Connecting;FAILED=Failed;IN_PROGRESS=In progress;NO_ANSWER=No answer;QUEUED=Queued;RINGING=Ringing
hs_call_recording_url | Recording URL | INFO | string/text | |
hs_call_callee_object_id | Callee object ID | INFO | number/number | |
hs_call_callee_object_type | Callee object type | INFO | enumeration/select | ext |
hs_call_source | Call source | INFO | enumeration/select | | INTEGRATIONS_PLATFORM=Integrations platform;MOBILE=Mobile;TWILIO=HubSpot calling
hs_call_has_transcript | Has transcript | INFO | bool/booleancheckbox | ro |
hs_call_summary | Call summary | INFO | string/textarea | ro |
";

/// Meetings.
pub(super) const MEETINGS: &str = "\
hs_meeting_title | Meeting title | INFO | string/text | |
hs_meeting_body | Meeting description | INFO | string/html | |
hs_internal_meeting_notes | Internal meeting notes | INFO | string/html | |
hs_meeting_external_url | Meeting URL | INFO | string/text | |
hs_meeting_location | Meeting location | INFO | string/text | |
hs_meeting_location_type | Meeting location type | INFO | enumeration/select | | ADDRESS=Address;CUSTOM=Custom;PHONE=Phone;VIDEOCONFERENCE=Video conference
hs_meeting_start_time | Start time | INFO | datetime/date | |
hs_meeting_end_time | End time | INFO | datetime/date | |
hs_meeting_outcome | Meeting outcome | INFO | enumeration/select | | SCHEDULED=Scheduled;COMPLETED=Completed;RESCHEDULED=Rescheduled;NO_SHOW=No show;CANCELED=Canceled
hs_meeting_source | Meeting source | INFO | string/text | ro |
hs_i_cal_uid | iCal UID | INFO | string/text | |
";

/// Tasks.
pub(super) const TASKS: &str = "\
hs_task_subject | Task title | INFO | string/text | |
hs_task_body | Task notes | INFO | string/html | |
hs_task_status | Task status | INFO | enumeration/select | | NOT_STARTED=Not started;COMPLETED=Completed;IN_PROGRESS=In progress;WAITING=Waiting;DEFERRED=Deferred
hs_task_priority | Priority | INFO | enumeration/select | | NONE=None;LOW=Low;MEDIUM=Medium;HIGH=High
hs_task_type | Task type | INFO | enumeration/select | | EMAIL=Email;CALL=Call;TODO=To-do;LINKED_IN_CONNECT=LinkedIn connect;LINKED_IN_MESSAGE=LinkedIn message
hs_task_reminders | Reminders | INFO | string/text | |
hs_task_completion_date | Completed at | INFO | datetime/date | ro |
hs_task_completion_count | Number of times completed | INFO | number/number | ro |
hs_task_is_completed | Is completed | INFO | number/calculation_equation | calc |
hs_task_is_all_day | All day | INFO | bool/booleancheckbox | |
hs_task_for_object_type | For object type | INFO | string/text | |
hs_task_last_contact_outreach | Last contact outreach | INFO | datetime/date | ro |
hs_task_relative_reminders | Relative reminders | INFO | string/text | |
";

/// E-mails. Participants are read-only, derived from the headers (sheet: section 2.4 \[doc\]).
pub(super) const EMAILS: &str = "\
hs_email_direction | Email direction | INFO | enumeration/select | | EMAIL=Email sent;INCOMING_EMAIL=Incoming email;FORWARDED_EMAIL=Forwarded email
hs_email_subject | Email subject | INFO | string/text | |
hs_email_text | Email body | INFO | string/textarea | |
hs_email_html | Email HTML | INFO | string/html | |
hs_email_status | Email send status | INFO | enumeration/select | | BOUNCED=Bounced;FAILED=Failed;SCHEDULED=Scheduled;SENDING=Sending;SENT=Sent
hs_email_headers | Email headers | INFO | string/textarea | |
hs_email_from_email | Email from address | INFO | string/text | ro |
hs_email_from_firstname | Email from first name | INFO | string/text | ro |
hs_email_from_lastname | Email from last name | INFO | string/text | ro |
hs_email_to_email | Email to address | INFO | string/text | ro |
hs_email_to_firstname | Email to first name | INFO | string/text | ro |
hs_email_to_lastname | Email to last name | INFO | string/text | ro |
hs_email_cc_email | Email CC address | INFO | string/text | ro |
hs_email_bcc_email | Email BCC address | INFO | string/text | ro |
hs_email_message_id | Email message ID | INFO | string/text | ro |
hs_email_thread_id | Email thread ID | INFO | string/text | ro |
hs_email_tracker_key | Email tracker key | INFO | string/text | ro |
hs_email_open_count | Email opens | INFO | number/number | ro |
hs_email_click_count | Email clicks | INFO | number/number | ro |
hs_email_reply_count | Email replies | INFO | number/number | ro |
hs_email_bounce_error_detail_message | Bounce error | INFO | string/text | ro |
";

/// Communications (WhatsApp, LinkedIn, SMS).
pub(super) const COMMUNICATIONS: &str = "\
hs_communication_channel_type | Channel type | INFO | enumeration/select | | WHATS_APP=WhatsApp;LINKEDIN_MESSAGE=LinkedIn message;SMS=SMS;CUSTOM_CHANNEL_CONVERSATION=Custom channel
hs_communication_logged_from | Logged from | INFO | enumeration/select | | CRM=CRM
hs_communication_body | Communication body | INFO | string/html | |
";

/// Postal mail.
pub(super) const POSTAL_MAIL: &str = "\
hs_postal_mail_body | Postal mail body | INFO | string/html | |
";
