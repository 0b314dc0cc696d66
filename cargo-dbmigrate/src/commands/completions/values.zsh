# The values of the project are asked for; without any, files are completed.
_cargo-dbmigrate_values() {
    local -a lines values about
    local line
    lines=("${(@f)$(cargo-dbmigrate __complete "${(@)words[1,CURRENT]}" 2>/dev/null)}")
    for line in $lines; do
        values+=("${line%%$'\t'*}")
        about+=("${line/$'\t'/  -- }")
    done
    if (( ${#values} )); then
        compadd -V revisions -d about -l -- $values
    else
        _default "$@"
    fi
}

