-- A forum with a blog: 34 tables in the style of the well-known ones.

CREATE TABLE forum_roles ({id}, name VARCHAR(60) NOT NULL UNIQUE, level INTEGER NOT NULL DEFAULT 0);
CREATE TABLE forum_users (
    {id}, username VARCHAR(60) NOT NULL UNIQUE, email VARCHAR(190) NOT NULL UNIQUE,
    password VARCHAR(128) NOT NULL, role_id {ref} NOT NULL DEFAULT 1, avatar_url VARCHAR(255),
    bio TEXT, trust_level SMALLINT NOT NULL DEFAULT 0, n_posts INTEGER NOT NULL DEFAULT 0,
    is_admin BOOLEAN NOT NULL DEFAULT {false}, is_active BOOLEAN NOT NULL DEFAULT {true},
    locale VARCHAR(10) DEFAULT 'en', date_joined {moment} NOT NULL, last_login {moment},
    suspended_until {moment}, best_topic_id {ref},
    FOREIGN KEY (role_id) REFERENCES forum_roles (id)
);
CREATE TABLE forum_permissions (
    {id}, codename VARCHAR(100) NOT NULL, model VARCHAR(100) NOT NULL, UNIQUE (model, codename)
);
CREATE TABLE forum_role_permissions (
    role_id {ref} NOT NULL, permission_id {ref} NOT NULL, PRIMARY KEY (role_id, permission_id),
    FOREIGN KEY (role_id) REFERENCES forum_roles (id) ON DELETE CASCADE,
    FOREIGN KEY (permission_id) REFERENCES forum_permissions (id) ON DELETE CASCADE
);
CREATE TABLE forum_sessions (
    session_key VARCHAR(40) NOT NULL PRIMARY KEY, session_data TEXT NOT NULL, user_id {ref},
    expire_date {moment} NOT NULL, FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE CASCADE
);
CREATE INDEX ix_forum_sessions_expire_date ON forum_sessions (expire_date);
CREATE TABLE forum_api_keys (
    {id}, user_id {ref} NOT NULL, key_hash VARCHAR(64) NOT NULL UNIQUE, description VARCHAR(190),
    revoked_at {moment}, FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE CASCADE
);
CREATE TABLE forum_categories (
    {id}, parent_id {ref}, name VARCHAR(60) NOT NULL, color VARCHAR(6) NOT NULL DEFAULT '0088CC',
    position INTEGER, read_restricted BOOLEAN NOT NULL DEFAULT {false},
    FOREIGN KEY (parent_id) REFERENCES forum_categories (id) ON DELETE RESTRICT
);
CREATE TABLE forum_topics (
    {id}, category_id {ref}, user_id {ref} NOT NULL, title VARCHAR(190) NOT NULL,
    slug VARCHAR(190), views INTEGER NOT NULL DEFAULT 0, pinned BOOLEAN NOT NULL DEFAULT {false},
    closed BOOLEAN NOT NULL DEFAULT {false}, visibility VARCHAR(10) NOT NULL DEFAULT 'public',
    score DOUBLE PRECISION, created_at {moment} NOT NULL, bumped_at {moment} NOT NULL,
    deleted_at {moment}, FOREIGN KEY (category_id) REFERENCES forum_categories (id) ON DELETE SET NULL,
    FOREIGN KEY (user_id) REFERENCES forum_users (id),
    CHECK (visibility IN ('public', 'unlisted', 'private'))
);
CREATE INDEX ix_forum_topics_bumped_at ON forum_topics (bumped_at);
CREATE INDEX topics_of_category ON forum_topics (category_id, pinned DESC, bumped_at DESC);
CREATE TABLE forum_posts (
    {id}, topic_id {ref} NOT NULL, user_id {ref}, reply_to_id {ref}, number INTEGER NOT NULL,
    raw TEXT NOT NULL, cooked TEXT NOT NULL, n_likes INTEGER NOT NULL DEFAULT 0,
    created_at {moment} NOT NULL, edited_at {moment}, UNIQUE (topic_id, number),
    FOREIGN KEY (topic_id) REFERENCES forum_topics (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE SET NULL,
    FOREIGN KEY (reply_to_id) REFERENCES forum_posts (id) ON DELETE SET NULL
);
CREATE TABLE forum_post_revisions (
    {id}, post_id {ref} NOT NULL, editor_id {ref}, number INTEGER NOT NULL, changes TEXT,
    FOREIGN KEY (post_id) REFERENCES forum_posts (id) ON DELETE CASCADE,
    FOREIGN KEY (editor_id) REFERENCES forum_users (id) ON DELETE SET NULL
);
CREATE TABLE forum_post_actions (
    {id}, post_id {ref} NOT NULL, user_id {ref} NOT NULL, action_type INTEGER NOT NULL,
    UNIQUE (post_id, user_id, action_type),
    FOREIGN KEY (post_id) REFERENCES forum_posts (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE CASCADE
);
CREATE TABLE forum_tags ({id}, name VARCHAR(50) NOT NULL UNIQUE, n_topics INTEGER DEFAULT 0);
CREATE TABLE forum_topic_tags (
    {id}, topic_id {ref} NOT NULL, tag_id {ref} NOT NULL,
    CONSTRAINT a_tag_once UNIQUE (topic_id, tag_id),
    CONSTRAINT tagged_topic FOREIGN KEY (topic_id) REFERENCES forum_topics (id) ON DELETE CASCADE,
    CONSTRAINT used_tag FOREIGN KEY (tag_id) REFERENCES forum_tags (id) ON DELETE CASCADE
);
CREATE TABLE forum_bookmarks (
    user_id {ref} NOT NULL, post_id {ref} NOT NULL, note VARCHAR(190), remind_at {moment},
    PRIMARY KEY (user_id, post_id),
    FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE CASCADE,
    FOREIGN KEY (post_id) REFERENCES forum_posts (id) ON DELETE CASCADE
);
CREATE TABLE forum_follows (
    follower_id {ref} NOT NULL, followee_id {ref} NOT NULL, PRIMARY KEY (follower_id, followee_id),
    CHECK (follower_id <> followee_id),
    FOREIGN KEY (follower_id) REFERENCES forum_users (id) ON DELETE CASCADE,
    FOREIGN KEY (followee_id) REFERENCES forum_users (id) ON DELETE CASCADE
);
CREATE TABLE forum_messages (
    {id}, sender_id {ref} NOT NULL, subject VARCHAR(190), body TEXT NOT NULL, sent_at {moment} NOT NULL,
    FOREIGN KEY (sender_id) REFERENCES forum_users (id)
);
CREATE TABLE forum_message_recipients (
    message_id {ref} NOT NULL, user_id {ref} NOT NULL, read_at {moment}, PRIMARY KEY (message_id, user_id),
    FOREIGN KEY (message_id) REFERENCES forum_messages (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE CASCADE
);
CREATE TABLE forum_notifications (
    {id}, user_id {ref} NOT NULL, kind INTEGER NOT NULL, data TEXT NOT NULL, topic_id {ref},
    is_read BOOLEAN NOT NULL DEFAULT {false}, created_at {moment} NOT NULL,
    FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE CASCADE,
    FOREIGN KEY (topic_id) REFERENCES forum_topics (id) ON DELETE CASCADE
);
CREATE INDEX ix_forum_notifications_user_id_is_read ON forum_notifications (user_id, is_read);
CREATE TABLE forum_uploads (
    {id}, user_id {ref} NOT NULL, sha256 VARCHAR(64) NOT NULL UNIQUE, filename VARCHAR(190) NOT NULL,
    n_bytes {ref} NOT NULL, content_type VARCHAR(100),
    FOREIGN KEY (user_id) REFERENCES forum_users (id)
);
CREATE TABLE forum_post_uploads (
    post_id {ref} NOT NULL, upload_id {ref} NOT NULL, PRIMARY KEY (post_id, upload_id),
    FOREIGN KEY (post_id) REFERENCES forum_posts (id) ON DELETE CASCADE,
    FOREIGN KEY (upload_id) REFERENCES forum_uploads (id)
);
CREATE TABLE forum_badges ({id}, name VARCHAR(60) NOT NULL UNIQUE, icon VARCHAR(60), query TEXT);
CREATE TABLE forum_user_badges (
    {id}, user_id {ref} NOT NULL, badge_id {ref} NOT NULL, granted_by_id {ref}, granted_at {moment},
    FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE CASCADE,
    FOREIGN KEY (badge_id) REFERENCES forum_badges (id) ON DELETE CASCADE,
    FOREIGN KEY (granted_by_id) REFERENCES forum_users (id) ON DELETE SET NULL
);
CREATE TABLE forum_polls (
    {id}, post_id {ref} NOT NULL, name VARCHAR(60) NOT NULL DEFAULT 'poll', closes_at {moment},
    max_votes INTEGER, UNIQUE (post_id, name),
    FOREIGN KEY (post_id) REFERENCES forum_posts (id) ON DELETE CASCADE
);
CREATE TABLE forum_poll_options (
    {id}, poll_id {ref} NOT NULL, html VARCHAR(255) NOT NULL,
    FOREIGN KEY (poll_id) REFERENCES forum_polls (id) ON DELETE CASCADE
);
CREATE TABLE forum_poll_votes (
    poll_id {ref} NOT NULL, option_id {ref} NOT NULL, user_id {ref} NOT NULL,
    PRIMARY KEY (poll_id, option_id, user_id),
    FOREIGN KEY (poll_id) REFERENCES forum_polls (id) ON DELETE CASCADE,
    FOREIGN KEY (option_id) REFERENCES forum_poll_options (id) ON DELETE CASCADE,
    FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE CASCADE
);
CREATE TABLE forum_settings (
    name VARCHAR(100) NOT NULL PRIMARY KEY, value TEXT, data_type INTEGER NOT NULL
);
CREATE TABLE blog_authors (
    {id}, user_id {ref} UNIQUE, display_name VARCHAR(100) NOT NULL, homepage VARCHAR(190),
    FOREIGN KEY (user_id) REFERENCES forum_users (id) ON DELETE SET NULL
);
CREATE TABLE blog_series ({id}, title VARCHAR(190) NOT NULL);
CREATE TABLE blog_entries (
    {id}, author_id {ref} NOT NULL, series_id {ref}, slug VARCHAR(100) NOT NULL, title VARCHAR(190) NOT NULL,
    status VARCHAR(9) NOT NULL DEFAULT 'draft',
    body TEXT NOT NULL, excerpt VARCHAR(255), published_on DATE, reading_minutes SMALLINT,
    CONSTRAINT slug_of_author UNIQUE (author_id, slug),
    FOREIGN KEY (author_id) REFERENCES blog_authors (id) ON DELETE CASCADE,
    FOREIGN KEY (series_id) REFERENCES blog_series (id) ON DELETE SET NULL,
    CHECK (status IN ('draft', 'published'))
);
CREATE TABLE blog_comments (
    {id}, entry_id {ref} NOT NULL, parent_id {ref}, name VARCHAR(100), body TEXT NOT NULL,
    is_spam BOOLEAN, ip VARCHAR(45), posted_at {moment} NOT NULL,
    FOREIGN KEY (entry_id) REFERENCES blog_entries (id) ON DELETE CASCADE,
    FOREIGN KEY (parent_id) REFERENCES blog_comments (id) ON DELETE CASCADE
);
CREATE TABLE blog_media ({id}, url VARCHAR(190) NOT NULL, kind VARCHAR(20), caption TEXT);
CREATE TABLE blog_entry_media (
    entry_id {ref} NOT NULL, media_id {ref} NOT NULL, position INTEGER NOT NULL,
    PRIMARY KEY (entry_id, media_id),
    FOREIGN KEY (entry_id) REFERENCES blog_entries (id) ON DELETE CASCADE,
    FOREIGN KEY (media_id) REFERENCES blog_media (id)
);
CREATE TABLE blog_redirects (
    old_path VARCHAR(190) NOT NULL PRIMARY KEY, new_path VARCHAR(190) NOT NULL,
    code SMALLINT NOT NULL DEFAULT 301
);
CREATE TABLE blog_analyses (
    {id}, entry_id {ref} NOT NULL, day DATE NOT NULL, n_views INTEGER NOT NULL DEFAULT 0,
    UNIQUE (entry_id, day), FOREIGN KEY (entry_id) REFERENCES blog_entries (id) ON DELETE CASCADE
);
