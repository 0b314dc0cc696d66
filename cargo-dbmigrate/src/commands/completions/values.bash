
# The options and commands are complete; the values of the project are asked for.
_cargo__dbmigrate() {
    _cargo__dbmigrate_static "$@"
    local line="${COMP_LINE-${COMP_WORDS[*]}}"
    line="${line:0:${COMP_POINT:-${#line}}}"
    local -a words
    read -r -a words <<<"${line}"
    if [[ "${line}" == *" " ]]; then
        words+=("")
    fi
    local last="${words[${#words[@]} - 1]}"
    # Bash completes only what comes after the last `=` or `:`.
    local written="${last%"$2"}" value
    local -a values=()
    while IFS=$'\t' read -r value _; do
        values+=("${value#"${written}"}")
    done < <(cargo-dbmigrate __complete "${words[@]}" 2>/dev/null)
    if [[ ${#values[@]} -gt 0 ]]; then
        COMPREPLY=("${values[@]}")
    fi
}
