"""Fields of items, stock and maintenance, as text: name | type | label | flags (see `schema.model.read_models`)."""

from typing import Final

STOCK: Final = """
product.product = Product Variant
product_tmpl_id | many2one | Product Template | ro rel=product.template
name | char | Name | req
default_code | char | Internal Reference
barcode | char | Barcode
active | boolean | Active
detailed_type | selection | Product Type | until=17 sel=consu:Consumable,service:Service,product:Storable Product
type | selection | Type | until=17 ro sel=consu:Consumable,service:Service,product:Storable Product
type | selection | Product Type | since=18 sel=consu:Goods,service:Service,combo:Combo
is_storable | boolean | Track Inventory | since=18
uom_id | many2one | Unit of Measure | req rel=uom.uom
uom_po_id | many2one | Purchase UoM | rel=uom.uom until=18
categ_id | many2one | Product Category | req rel=product.category
standard_price | float | Cost
lst_price | float | Sales Price
weight | float | Weight
volume | float | Volume
description | html | Description
description_purchase | text | Purchase Description
purchase_ok | boolean | Can be Purchased
sale_ok | boolean | Can be Sold
tracking | selection | Tracking | sel=serial:By Unique Serial Number,lot:By Lots,none:No Tracking
company_id | many2one | Company | rel=res.company
qty_available | float | Quantity On Hand | ro calc
x_studio_hazard_class | char | Hazard Class | manual

product.template = Product
name | char | Name | req
default_code | char | Internal Reference
active | boolean | Active
detailed_type | selection | Product Type | until=17 sel=consu:Consumable,service:Service,product:Storable Product
type | selection | Type | until=17 ro sel=consu:Consumable,service:Service,product:Storable Product
type | selection | Product Type | since=18 sel=consu:Goods,service:Service,combo:Combo
is_storable | boolean | Track Inventory | since=18
uom_id | many2one | Unit of Measure | req rel=uom.uom
categ_id | many2one | Product Category | req rel=product.category
product_variant_ids | one2many | Products | ro rel=product.product calc
product_variant_id | many2one | Product | ro rel=product.product calc

product.category = Product Category
name | char | Name | req
complete_name | char | Complete Name | ro

product.supplierinfo = Supplier Pricelist
partner_id | many2one | Vendor | req rel=res.partner
product_id | many2one | Product Variant | rel=product.product
product_tmpl_id | many2one | Product Template | rel=product.template
product_code | char | Vendor Product Code
product_name | char | Vendor Product Name
price | float | Price | req
delay | integer | Delivery Lead Time | req
min_qty | float | Quantity | req
currency_id | many2one | Currency | req rel=res.currency

uom.category = Product UoM Categories | until=18
name | char | Unit of Measure Category | req

uom.uom = Product Unit of Measure
name | char | Unit of Measure | req
category_id | many2one | Category | req rel=uom.category until=18
uom_type | selection | Type | req until=18 sel=bigger:Bigger,reference:Reference,smaller:Smaller
factor | float | Ratio | req
factor_inv | float | Bigger Ratio | until=18 ro
relative_factor | float | Contains | since=19
relative_uom_id | many2one | Reference Unit | since=19 rel=uom.uom
rounding | float | Rounding Precision
active | boolean | Active

stock.location = Inventory Locations
name | char | Location Name | req
complete_name | char | Full Location Name | ro
active | boolean | Active
usage | selection | Location Type | req sel=@usages
location_id | many2one | Parent Location | rel=stock.location
warehouse_id | many2one | Warehouse | ro rel=stock.warehouse
barcode | char | Barcode
company_id | many2one | Company | rel=res.company
comment | html | Additional Information | until=18
scrap_location | boolean | Is a Scrap Location? | until=18

stock.warehouse = Warehouse
name | char | Warehouse | req
code | char | Short Name | req
company_id | many2one | Company | req rel=res.company
partner_id | many2one | Address | rel=res.partner
view_location_id | many2one | View Location | req rel=stock.location
lot_stock_id | many2one | Location Stock | req rel=stock.location
in_type_id | many2one | In Type | rel=stock.picking.type
active | boolean | Active

stock.picking.type = Picking Type
name | char | Operation Type | req
code | selection | Type of Operation | req sel=incoming:Receipt,outgoing:Delivery,internal:Internal Transfer
warehouse_id | many2one | Warehouse | rel=stock.warehouse
default_location_dest_id | many2one | Destination Location | rel=stock.location
company_id | many2one | Company | req rel=res.company
active | boolean | Active

stock.lot = Lot/Serial
name | char | Lot/Serial Number | req
product_id | many2one | Product | req rel=product.product

stock.quant = Quants
product_id | many2one | Product | req rel=product.product
product_uom_id | many2one | Unit of Measure | ro calc rel=uom.uom
location_id | many2one | Location | req rel=stock.location
lot_id | many2one | Lot/Serial Number | rel=stock.lot
owner_id | many2one | Owner | rel=res.partner
company_id | many2one | Company | ro rel=res.company
quantity | float | Quantity
reserved_quantity | float | Reserved Quantity | ro
available_quantity | float | Available Quantity | ro calc
inventory_quantity | float | Counted Quantity
inventory_quantity_auto_apply | float | Inventoried Quantity | calc
inventory_quantity_set | boolean | Inventory Quantity Set
inventory_diff_quantity | float | Difference | ro
inventory_date | date | Scheduled Date
in_date | datetime | Incoming Date | ro
user_id | many2one | Assigned To | rel=res.users

maintenance.stage = Maintenance Stage
name | char | Name | req
sequence | integer | Sequence
done | boolean | Request Done
fold | boolean | Folded in Maintenance Pipe

maintenance.team = Maintenance Teams
name | char | Team Name | req
active | boolean | Active
company_id | many2one | Company | rel=res.company

maintenance.equipment.category = Maintenance Equipment Category
name | char | Category Name | req

maintenance.equipment = Maintenance Equipment
name | char | Equipment Name | req
active | boolean | Active
category_id | many2one | Equipment Category | rel=maintenance.equipment.category
serial_no | char | Serial Number
model | char | Model
partner_id | many2one | Vendor | rel=res.partner
partner_ref | char | Vendor Reference
location | char | Location | until=18
location_id | many2one | Location | rel=stock.location since=19
cost | float | Cost
note | html | Note
assign_date | date | Assigned Date
effective_date | date | Effective Date | req
warranty_date | date | Warranty Expiration Date
scrap_date | date | Scrap Date
owner_user_id | many2one | Owner | rel=res.users
technician_user_id | many2one | Technician | rel=res.users
maintenance_team_id | many2one | Maintenance Team | rel=maintenance.team
company_id | many2one | Company | rel=res.company

maintenance.request = Maintenance Request
name | char | Subjects | req
description | html | Description
request_date | date | Request Date
owner_user_id | many2one | Created by User | rel=res.users
category_id | many2one | Category | ro rel=maintenance.equipment.category
equipment_id | many2one | Equipment | rel=maintenance.equipment
user_id | many2one | Technician | rel=res.users
stage_id | many2one | Stage | rel=maintenance.stage
priority | selection | Priority | sel=0:Very Low,1:Low,2:Normal,3:High
close_date | date | Close Date
kanban_state | selection | Kanban State | req sel=normal:In Progress,blocked:Blocked,done:Ready for next stage
archive | boolean | Archive
maintenance_type | selection | Maintenance Type | sel=corrective:Corrective,preventive:Preventive
schedule_date | datetime | Scheduled Date
duration | float | Duration
maintenance_team_id | many2one | Team | req rel=maintenance.team
recurring_maintenance | boolean | Recurrent | since=17
instruction_text | html | Text | since=17
done | boolean | Request Done | ro calc
company_id | many2one | Company | req rel=res.company
"""
