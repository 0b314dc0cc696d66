
# `cargo dbmigrate` is completed as `cargo-dbmigrate`.
function __fish_cargo_dbmigrate_words
    set -l words (commandline -opc)
    set -e words[1]
    # `cargo +nightly --quiet dbmigrate`
    while set -q words[1]; and string match -qr '^[-+]' -- $words[1]
        set -e words[1]
    end
    set -q words[1]; and test "$words[1]" = dbmigrate; or return 1
    string escape -- cargo-dbmigrate $words[2..-1]
end

function __fish_cargo_dbmigrate_after_cargo
    complete -C (string join ' ' -- (__fish_cargo_dbmigrate_words) (commandline -ct))
end

complete -c cargo -n "__fish_cargo_dbmigrate_words >/dev/null" -k -f -a "(__fish_cargo_dbmigrate_after_cargo)"
