"""Fields of purchasing, as text: name | type | label | flags (see `schema.model.read_models`)."""

from typing import Final

PURCHASE: Final = """
purchase.order = Purchase Order
name | char | Order Reference | req default=New
partner_id | many2one | Vendor | req rel=res.partner
partner_ref | char | Vendor Reference
origin | char | Source Document
date_order | datetime | Order Deadline | req
date_approve | datetime | Confirmation Date | ro
date_planned | datetime | Expected Arrival
date_calendar_start | datetime | Calendar Start | ro
effective_date | datetime | Arrival | ro
currency_id | many2one | Currency | req rel=res.currency
currency_rate | float | Currency Rate | ro
payment_term_id | many2one | Payment Terms | rel=account.payment.term
incoterm_id | many2one | Incoterm | rel=account.incoterms
incoterm_location | char | Incoterm Location | since=17
dest_address_id | many2one | Dropship Address | rel=res.partner
picking_type_id | many2one | Deliver To | req rel=stock.picking.type
company_id | many2one | Company | req rel=res.company
user_id | many2one | Buyer | rel=res.users
state | selection | Status | until=18 sel=@order_states,done:Locked
state | selection | Status | since=19 sel=@order_states
locked | boolean | Locked | since=19
acknowledged | boolean | Acknowledged | since=19
mail_reception_confirmed | boolean | Reception Confirmed | until=18
invoice_status | selection | Billing Status | ro sel=no:Nothing to Bill,to invoice:Waiting Bills,invoiced:Fully Billed
receipt_status | selection | Receipt Status | ro sel=pending:Not Received,partial:Partially Received,full:Fully Received
order_line | one2many | Order Lines | rel=purchase.order.line
amount_untaxed | monetary | Untaxed Amount | ro
amount_tax | monetary | Taxes | ro
amount_total | monetary | Total | ro
notes | html | Terms and Conditions | until=18
note | html | Terms and Conditions | since=19
priority | selection | Priority | sel=0:Normal,1:Urgent
x_studio_project_code | char | Project Code | manual
x_studio_budget_approved | boolean | Budget Approved | manual

purchase.order.line = Purchase Order Line
order_id | many2one | Order Reference | req rel=purchase.order
sequence | integer | Sequence
display_type | selection | Display Type | sel=line_section:Section,line_note:Note
product_id | many2one | Product | rel=product.product
name | text | Description | req
product_qty | float | Quantity | req
product_uom_qty | float | Total Quantity | ro
product_uom | many2one | Unit of Measure | rel=uom.uom until=18
product_uom_id | many2one | Unit | rel=uom.uom since=19
price_unit | float | Unit Price | req
discount | float | Discount (%) | since=17
taxes_id | many2many | Taxes | rel=account.tax until=18
tax_ids | many2many | Taxes | rel=account.tax since=19
price_subtotal | monetary | Subtotal | ro
price_tax | float | Tax | ro
price_total | monetary | Total | ro
date_planned | datetime | Expected Arrival
qty_received | float | Received Qty
qty_invoiced | float | Billed Qty | ro
company_id | many2one | Company | ro rel=res.company
currency_id | many2one | Currency | ro rel=res.currency calc
partner_id | many2one | Partner | ro rel=res.partner calc
state | selection | Status | ro calc sel=@order_states,done:Locked
analytic_distribution | json | Analytic Distribution
x_studio_inspection_level | char | Inspection Level | manual

res.partner = Contact
name | char | Name
complete_name | char | Complete Name | ro calc since=17
ref | char | Reference
vat | char | Tax ID
is_company | boolean | Is a Company
company_type | selection | Company Type | calc sel=person:Individual,company:Company
parent_id | many2one | Related Company | rel=res.partner
child_ids | one2many | Contact | ro rel=res.partner calc
type | selection | Address Type | sel=contact:Contact,invoice:Invoice,delivery:Delivery,other:Other
street | char | Street
street2 | char | Street2
zip | char | Zip
city | char | City
state_id | many2one | State | rel=res.country.state
country_id | many2one | Country | rel=res.country
email | char | Email
phone | char | Phone
mobile | char | Mobile | until=18
website | char | Website Link
comment | html | Notes
supplier_rank | integer | Supplier Rank
customer_rank | integer | Customer Rank
property_supplier_payment_term_id | many2one | Vendor Payment Terms | rel=account.payment.term
property_purchase_currency_id | many2one | Supplier Currency | rel=res.currency
purchase_warn | selection | Purchase Order Warning | until=18 sel=no-message:No Message,warning:Warning,block:Blocking
active | boolean | Active
company_id | many2one | Company | rel=res.company
lang | selection | Language | sel=en_US:English (US),de_DE:German

res.company = Companies
name | char | Company Name | req
partner_id | many2one | Partner | req rel=res.partner
currency_id | many2one | Currency | req rel=res.currency
country_id | many2one | Country | rel=res.country

res.currency = Currency
name | char | Currency | req
symbol | char | Symbol | req
rounding | float | Rounding Factor
decimal_places | integer | Decimal Places | ro
active | boolean | Active

res.users = User
name | char | Name | req
login | char | Login | req
partner_id | many2one | Related Partner | req rel=res.partner
company_id | many2one | Company | req rel=res.company
company_ids | many2many | Companies | rel=res.company
active | boolean | Active
tz | selection | Timezone | sel=Europe/Berlin:Europe/Berlin,UTC:UTC

res.country = Country
name | char | Country Name | req
code | char | Country Code | req

res.country.state = Country state
name | char | State Name | req
code | char | State Code | req
country_id | many2one | Country | req rel=res.country

account.payment.term = Payment Terms
name | char | Payment Terms | req
active | boolean | Active

account.incoterms = Incoterms
name | char | Name | req
code | char | Code | req
active | boolean | Active

account.tax = Tax
name | char | Tax Name | req
amount | float | Amount | req
type_tax_use | selection | Tax Type | req sel=sale:Sales,purchase:Purchases,none:None
active | boolean | Active

decimal.precision = Decimal Precision
name | char | Usage | req
digits | integer | Digits | req

ir.model.data = Model Data
module | char | Module | req
name | char | External Identifier | req
model | char | Model Name | req
res_id | integer | Record ID
complete_name | char | Complete ID | ro calc

ir.model = Models
name | char | Model Description | req
model | char | Model | req

ir.model.fields = Fields
name | char | Field Name | req
model | char | Model Name | req
field_description | char | Field Label | req
ttype | selection | Field Type | req
relation | char | Related Model
required | boolean | Required
readonly | boolean | Readonly
store | boolean | Stored
state | selection | Type | req sel=manual:Custom Field,base:Base Field
"""
