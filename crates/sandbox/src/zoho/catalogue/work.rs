//! Tasks, events, calls, notes, attachments.

/// Sheet: section 2 (notes, attachments), section 5 (mandatory fields, activities).
pub(super) const WORK: &str = "\
# Tasks | Task | Subject |
Subject | text 255 | m
Due_Date | date
Status | picklist | | Not Started;Deferred;In Progress;Completed;Waiting for input=Waiting on someone else
Priority | picklist | | High;Highest;Low;Lowest;Normal
Who_Id | lookup | | Contacts | Contact Name
What_Id | lookup | | se_module | Related To
Closed_Time | datetime | r
Send_Notification_Email | boolean
Description | textarea | L
# Events | Event | Event_Title |
Event_Title | text 255 | m | | Title
Start_DateTime | datetime | m | | From
End_DateTime | datetime | m | | To
All_day | boolean
Venue | text 255 | | | Location
Who_Id | lookup | | Contacts | Contact Name
What_Id | lookup | | se_module | Related To
Participants | participants
Send_Notification_Email | boolean
Description | textarea | L
# Calls | Call | Subject |
Subject | text 255 | m
Call_Type | picklist | mR | Inbound;Outbound;Missed
Call_Purpose | picklist | | Prospecting;Administrative;Negotiation;Demo;Project;Desk
Call_Start_Time | datetime | m
Call_Duration | text 10 | m
Call_Duration_in_seconds | integer | r
Call_Agenda | text 255
Call_Result | picklist | | Interested;Not interested;No response/Busy;Requested more info;Requested call back;Invalid number
Who_Id | lookup | | Contacts | Contact Name
What_Id | lookup | | se_module | Related To
Description | textarea | L
# Notes | Note | Note_Title |
Note_Title | text 120
Note_Content | textarea | L
Parent_Id | lookup | m | se_module | Parent ID
# Attachments | Attachment | File_Name |
File_Name | text 255
Size | bigint | r
Parent_Id | lookup | m | se_module | Parent ID";
