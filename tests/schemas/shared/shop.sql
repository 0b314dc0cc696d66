-- A shop: 46 tables in the style of the well-known ones.

CREATE TABLE currencies (
    code VARCHAR(3) NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL,
    decimals SMALLINT NOT NULL DEFAULT 2
);
CREATE TABLE countries (
    iso2 VARCHAR(2) NOT NULL PRIMARY KEY, name VARCHAR(100) NOT NULL UNIQUE,
    phone_prefix VARCHAR(5), currency_code VARCHAR(3) NOT NULL,
    FOREIGN KEY (currency_code) REFERENCES currencies (code)
);
CREATE TABLE country_states (
    {id}, country_iso2 VARCHAR(2) NOT NULL, abbreviation VARCHAR(10) NOT NULL,
    name VARCHAR(100) NOT NULL, UNIQUE (country_iso2, abbreviation),
    FOREIGN KEY (country_iso2) REFERENCES countries (iso2) ON DELETE CASCADE
);
CREATE TABLE locales (
    code VARCHAR(10) NOT NULL PRIMARY KEY, name VARCHAR(60) NOT NULL,
    is_default BOOLEAN NOT NULL DEFAULT {false}
);
CREATE TABLE stores (
    {id}, code VARCHAR(40) NOT NULL UNIQUE, name VARCHAR(100) NOT NULL, host VARCHAR(190),
    default_currency_code VARCHAR(3) NOT NULL, default_locale_code VARCHAR(10) NOT NULL,
    FOREIGN KEY (default_currency_code) REFERENCES currencies (code),
    FOREIGN KEY (default_locale_code) REFERENCES locales (code)
);
CREATE TABLE customer_groups (
    {id}, name VARCHAR(60) NOT NULL UNIQUE, discount DECIMAL(5, 2) NOT NULL DEFAULT 0
);
CREATE TABLE customers (
    {id}, group_id {ref}, store_id {ref} NOT NULL, email VARCHAR(190) NOT NULL,
    password_hash VARCHAR(128), first_name VARCHAR(60), last_name VARCHAR(60),
    born_on DATE, newsletter BOOLEAN NOT NULL DEFAULT {true}, created_at {moment} NOT NULL,
    last_seen_at {moment}, UNIQUE (store_id, email),
    FOREIGN KEY (group_id) REFERENCES customer_groups (id) ON DELETE SET NULL,
    FOREIGN KEY (store_id) REFERENCES stores (id)
);
CREATE TABLE customer_addresses (
    {id}, customer_id {ref} NOT NULL, first_name VARCHAR(60) NOT NULL,
    last_name VARCHAR(60) NOT NULL, company VARCHAR(100), street VARCHAR(190) NOT NULL,
    street2 VARCHAR(190), postcode VARCHAR(20), city VARCHAR(100) NOT NULL, state_id {ref},
    country_iso2 VARCHAR(2) NOT NULL, is_default BOOLEAN NOT NULL DEFAULT {false},
    FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE,
    FOREIGN KEY (state_id) REFERENCES country_states (id) ON DELETE SET NULL,
    FOREIGN KEY (country_iso2) REFERENCES countries (iso2)
);
CREATE TABLE brands (
    {id}, name VARCHAR(100) NOT NULL UNIQUE, slug VARCHAR(100) NOT NULL UNIQUE, website VARCHAR(190)
);
CREATE TABLE categories (
    {id}, parent_id {ref}, slug VARCHAR(100) NOT NULL UNIQUE, name VARCHAR(100) NOT NULL,
    position INTEGER NOT NULL DEFAULT 0, tree_left INTEGER NOT NULL, tree_right INTEGER NOT NULL,
    CHECK (tree_left < tree_right),
    FOREIGN KEY (parent_id) REFERENCES categories (id) ON DELETE CASCADE
);
CREATE INDEX ix_categories_tree_left_tree_right ON categories (tree_left, tree_right);
CREATE TABLE tax_classes ({id}, code VARCHAR(40) NOT NULL UNIQUE, name VARCHAR(100) NOT NULL);
CREATE TABLE tax_rates (
    {id}, tax_class_id {ref} NOT NULL, country_iso2 VARCHAR(2) NOT NULL, state_id {ref},
    rate DECIMAL(7, 4) NOT NULL, included BOOLEAN NOT NULL DEFAULT {false}, valid_from DATE,
    CONSTRAINT rate_in_range CHECK (rate >= 0 AND rate <= 100),
    FOREIGN KEY (tax_class_id) REFERENCES tax_classes (id) ON DELETE CASCADE,
    FOREIGN KEY (country_iso2) REFERENCES countries (iso2),
    FOREIGN KEY (state_id) REFERENCES country_states (id)
);
CREATE TABLE products (
    {id}, brand_id {ref}, tax_class_id {ref} NOT NULL, sku VARCHAR(60) NOT NULL UNIQUE,
    slug VARCHAR(100) NOT NULL UNIQUE, kind VARCHAR(20) DEFAULT 'simple' NOT NULL,
    weight DOUBLE PRECISION, price DECIMAL(12, 2) NOT NULL DEFAULT 0, cost DECIMAL(12, 2),
    enabled BOOLEAN NOT NULL DEFAULT {true}, available_from {moment}, available_to {moment},
    rating REAL, n_reviews INTEGER NOT NULL DEFAULT 0, version INTEGER NOT NULL DEFAULT 1,
    created_at {moment} NOT NULL, updated_at {moment} NOT NULL,
    CONSTRAINT price_is_not_negative CHECK (price >= 0),
    FOREIGN KEY (brand_id) REFERENCES brands (id) ON DELETE SET NULL ON UPDATE CASCADE,
    FOREIGN KEY (tax_class_id) REFERENCES tax_classes (id) ON DELETE RESTRICT,
    CHECK (kind IN ('simple', 'configurable', 'bundle', 'download'))
);
CREATE INDEX ix_products_enabled ON products (enabled);
CREATE INDEX products_by_age ON products (created_at DESC, id);
CREATE TABLE product_translations (
    product_id {ref} NOT NULL, locale_code VARCHAR(10) NOT NULL, name VARCHAR(190) NOT NULL,
    short_description VARCHAR(255), description TEXT, meta_title VARCHAR(190), meta_keywords TEXT,
    PRIMARY KEY (product_id, locale_code),
    FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE,
    FOREIGN KEY (locale_code) REFERENCES locales (code)
);
CREATE TABLE product_categories (
    product_id {ref} NOT NULL, category_id {ref} NOT NULL, position INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (product_id, category_id),
    FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE,
    FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE CASCADE
);
CREATE TABLE product_links (
    product_id {ref} NOT NULL, linked_product_id {ref} NOT NULL,
    kind VARCHAR(12) NOT NULL, CHECK (kind IN ('related', 'up_sell', 'cross_sell')),
    PRIMARY KEY (product_id, linked_product_id, kind), CHECK (product_id <> linked_product_id),
    FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE,
    FOREIGN KEY (linked_product_id) REFERENCES products (id) ON DELETE CASCADE
);
CREATE TABLE product_images (
    {id}, product_id {ref} NOT NULL, path VARCHAR(190) NOT NULL, alt VARCHAR(190),
    width INTEGER, height INTEGER, position SMALLINT NOT NULL DEFAULT 0,
    FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
);
CREATE TABLE product_attributes (
    {id}, code VARCHAR(60) NOT NULL UNIQUE, input VARCHAR(20) NOT NULL, searchable BOOLEAN NOT NULL
);
CREATE TABLE product_attribute_options (
    {id}, attribute_id {ref} NOT NULL, value VARCHAR(100) NOT NULL, UNIQUE (attribute_id, value),
    FOREIGN KEY (attribute_id) REFERENCES product_attributes (id) ON DELETE CASCADE
);
CREATE TABLE product_attribute_values (
    product_id {ref} NOT NULL, attribute_id {ref} NOT NULL, option_id {ref}, text_value TEXT,
    number_value DECIMAL(14, 4), PRIMARY KEY (product_id, attribute_id),
    FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE,
    FOREIGN KEY (attribute_id) REFERENCES product_attributes (id) ON DELETE CASCADE,
    FOREIGN KEY (option_id) REFERENCES product_attribute_options (id)
);
CREATE TABLE variants (
    {id}, product_id {ref} NOT NULL, sku VARCHAR(60) NOT NULL UNIQUE, barcode VARCHAR(14),
    price_offset DECIMAL(12, 2) NOT NULL DEFAULT 0, position INTEGER,
    FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
);
CREATE INDEX ix_variants_barcode ON variants (barcode);
CREATE TABLE variant_options (
    variant_id {ref} NOT NULL, option_id {ref} NOT NULL, PRIMARY KEY (variant_id, option_id),
    FOREIGN KEY (variant_id) REFERENCES variants (id) ON DELETE CASCADE,
    FOREIGN KEY (option_id) REFERENCES product_attribute_options (id) ON DELETE CASCADE
);
CREATE TABLE warehouses (
    {id}, code VARCHAR(20) NOT NULL UNIQUE, name VARCHAR(100) NOT NULL,
    country_iso2 VARCHAR(2) NOT NULL, latitude DOUBLE PRECISION, longitude DOUBLE PRECISION,
    FOREIGN KEY (country_iso2) REFERENCES countries (iso2)
);
CREATE TABLE stocks (
    variant_id {ref} NOT NULL, warehouse_id {ref} NOT NULL, on_hand INTEGER NOT NULL DEFAULT 0,
    reserved INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (variant_id, warehouse_id),
    CONSTRAINT not_more_than_there_is CHECK (reserved <= on_hand),
    FOREIGN KEY (variant_id) REFERENCES variants (id) ON DELETE CASCADE,
    FOREIGN KEY (warehouse_id) REFERENCES warehouses (id) ON DELETE CASCADE
);
CREATE TABLE stock_movements (
    {id}, variant_id {ref} NOT NULL, warehouse_id {ref} NOT NULL, quantity INTEGER NOT NULL,
    reason VARCHAR(60) NOT NULL, moved_at {moment} NOT NULL,
    FOREIGN KEY (variant_id, warehouse_id) REFERENCES stocks (variant_id, warehouse_id)
        ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX movements_of_a_time ON stock_movements (moved_at);
CREATE TABLE suppliers ({id}, name VARCHAR(100) NOT NULL, email VARCHAR(190), rating SMALLINT);
CREATE TABLE supplier_products (
    supplier_id {ref} NOT NULL, variant_id {ref} NOT NULL, price DECIMAL(12, 2) NOT NULL,
    lead_days SMALLINT NOT NULL DEFAULT 14, PRIMARY KEY (supplier_id, variant_id),
    FOREIGN KEY (supplier_id) REFERENCES suppliers (id) ON DELETE CASCADE,
    FOREIGN KEY (variant_id) REFERENCES variants (id) ON DELETE CASCADE
);
CREATE TABLE carts (
    {id}, customer_id {ref}, token VARCHAR(64) NOT NULL UNIQUE, currency_code VARCHAR(3) NOT NULL,
    expires_at {moment}, FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE,
    FOREIGN KEY (currency_code) REFERENCES currencies (code)
);
CREATE TABLE cart_items (
    {id}, cart_id {ref} NOT NULL, variant_id {ref} NOT NULL, quantity INTEGER NOT NULL DEFAULT 1,
    UNIQUE (cart_id, variant_id), CHECK (quantity > 0),
    FOREIGN KEY (cart_id) REFERENCES carts (id) ON DELETE CASCADE,
    FOREIGN KEY (variant_id) REFERENCES variants (id) ON DELETE CASCADE
);
CREATE TABLE promotions (
    {id}, code VARCHAR(40) NOT NULL UNIQUE, name VARCHAR(100) NOT NULL, priority INTEGER NOT NULL,
    exclusive BOOLEAN NOT NULL DEFAULT {false}, usage_limit INTEGER, used INTEGER NOT NULL DEFAULT 0,
    starts_at {moment}, ends_at {moment}, CHECK (starts_at < ends_at)
);
CREATE TABLE promotion_rules (
    {id}, promotion_id {ref} NOT NULL, kind VARCHAR(60) NOT NULL, configuration TEXT NOT NULL,
    FOREIGN KEY (promotion_id) REFERENCES promotions (id) ON DELETE CASCADE
);
CREATE TABLE coupons (
    {id}, promotion_id {ref} NOT NULL, code VARCHAR(40) NOT NULL UNIQUE, per_customer INTEGER,
    FOREIGN KEY (promotion_id) REFERENCES promotions (id) ON DELETE CASCADE
);
CREATE TABLE shipping_zones ({id}, code VARCHAR(40) NOT NULL UNIQUE, name VARCHAR(100) NOT NULL);
CREATE TABLE shipping_zone_countries (
    zone_id {ref} NOT NULL, country_iso2 VARCHAR(2) NOT NULL, PRIMARY KEY (zone_id, country_iso2),
    FOREIGN KEY (zone_id) REFERENCES shipping_zones (id) ON DELETE CASCADE,
    FOREIGN KEY (country_iso2) REFERENCES countries (iso2) ON DELETE CASCADE
);
CREATE TABLE shipping_methods (
    {id}, zone_id {ref} NOT NULL, code VARCHAR(40) NOT NULL UNIQUE, calculator VARCHAR(40) NOT NULL,
    FOREIGN KEY (zone_id) REFERENCES shipping_zones (id)
);
CREATE TABLE payment_methods (
    {id}, code VARCHAR(40) NOT NULL UNIQUE, gateway VARCHAR(60) NOT NULL, config TEXT,
    enabled BOOLEAN NOT NULL DEFAULT {true}
);
CREATE TABLE orders (
    {id}, number VARCHAR(30) NOT NULL UNIQUE, store_id {ref} NOT NULL, customer_id {ref},
    state VARCHAR(12) NOT NULL DEFAULT 'new',
    currency_code VARCHAR(3) NOT NULL, billing_address_id {ref}, shipping_address_id {ref},
    shipping_method_id {ref}, coupon_id {ref}, items_total DECIMAL(12, 2) NOT NULL DEFAULT 0,
    tax_total DECIMAL(12, 2) NOT NULL DEFAULT 0, total DECIMAL(12, 2) NOT NULL DEFAULT 0, notes TEXT,
    placed_at {moment} NOT NULL, completed_at {moment}, ip VARCHAR(45),
    FOREIGN KEY (store_id) REFERENCES stores (id),
    FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL,
    FOREIGN KEY (currency_code) REFERENCES currencies (code),
    FOREIGN KEY (billing_address_id) REFERENCES customer_addresses (id) ON DELETE SET NULL,
    FOREIGN KEY (shipping_address_id) REFERENCES customer_addresses (id) ON DELETE SET NULL,
    FOREIGN KEY (shipping_method_id) REFERENCES shipping_methods (id),
    FOREIGN KEY (coupon_id) REFERENCES coupons (id),
    CHECK (state IN ('new', 'paid', 'sent', 'cancelled'))
);
CREATE INDEX ix_orders_state_placed_at ON orders (state, placed_at);
CREATE TABLE order_items (
    {id}, order_id {ref} NOT NULL, variant_id {ref}, name VARCHAR(190) NOT NULL,
    quantity INTEGER NOT NULL, unit_price DECIMAL(12, 2) NOT NULL, total DECIMAL(12, 2) NOT NULL,
    CHECK (quantity > 0), FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY (variant_id) REFERENCES variants (id) ON DELETE SET NULL
);
CREATE TABLE order_adjustments (
    {id}, order_id {ref} NOT NULL, order_item_id {ref}, kind VARCHAR(40) NOT NULL,
    label VARCHAR(190), amount DECIMAL(12, 2) NOT NULL, included BOOLEAN DEFAULT {false},
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY (order_item_id) REFERENCES order_items (id) ON DELETE CASCADE
);
CREATE TABLE payments (
    {id}, order_id {ref} NOT NULL, method_id {ref} NOT NULL, amount DECIMAL(12, 2) NOT NULL,
    state VARCHAR(20) NOT NULL, reference VARCHAR(100), details TEXT, paid_at {moment},
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY (method_id) REFERENCES payment_methods (id)
);
CREATE UNIQUE INDEX one_payment_of_a_reference ON payments (method_id, reference);
CREATE TABLE refunds (
    {id}, payment_id {ref} NOT NULL, amount DECIMAL(12, 2) NOT NULL, reason VARCHAR(190),
    FOREIGN KEY (payment_id) REFERENCES payments (id)
);
CREATE TABLE shipments (
    {id}, order_id {ref} NOT NULL, warehouse_id {ref}, tracking VARCHAR(100), sent_at {moment},
    FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE,
    FOREIGN KEY (warehouse_id) REFERENCES warehouses (id)
);
CREATE TABLE shipment_items (
    shipment_id {ref} NOT NULL, order_item_id {ref} NOT NULL, quantity INTEGER NOT NULL,
    PRIMARY KEY (shipment_id, order_item_id),
    FOREIGN KEY (shipment_id) REFERENCES shipments (id) ON DELETE CASCADE,
    FOREIGN KEY (order_item_id) REFERENCES order_items (id)
);
CREATE TABLE reviews (
    {id}, product_id {ref} NOT NULL, customer_id {ref}, stars SMALLINT NOT NULL, title VARCHAR(100),
    body TEXT, accepted BOOLEAN NOT NULL DEFAULT {false}, written_at {moment} NOT NULL,
    CONSTRAINT one_to_five CHECK (stars BETWEEN 1 AND 5),
    FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE,
    FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE SET NULL
);
CREATE TABLE wishlists (
    {id}, customer_id {ref} NOT NULL UNIQUE, name VARCHAR(60) NOT NULL DEFAULT 'My ''wishes''',
    FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE
);
CREATE TABLE wishlist_items (
    wishlist_id {ref} NOT NULL, product_id {ref} NOT NULL, PRIMARY KEY (wishlist_id, product_id),
    FOREIGN KEY (wishlist_id) REFERENCES wishlists (id) ON DELETE CASCADE,
    FOREIGN KEY (product_id) REFERENCES products (id) ON DELETE CASCADE
);
