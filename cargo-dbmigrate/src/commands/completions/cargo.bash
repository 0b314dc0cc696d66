
# `cargo dbmigrate` is completed as `cargo-dbmigrate`; the rest of cargo as it was before.
_cargo__dbmigrate_cargo="${_cargo__dbmigrate_cargo-}"

_cargo__dbmigrate_register() {
    local spec
    spec="$(complete -p cargo 2>/dev/null)" || spec="complete -o bashdefault -o default cargo"
    if [[ "${spec}" =~ \ -F\ ([^ ]+)\  ]]; then
        if [[ "${BASH_REMATCH[1]}" == _cargo__dbmigrate_after_cargo ]]; then
            return
        fi
        _cargo__dbmigrate_cargo="${BASH_REMATCH[1]}"
        spec="${spec/ -F "${BASH_REMATCH[1]}" / }"
    elif [[ "${spec}" == *" -C "* ]]; then
        # Another program completes cargo, which is left alone.
        return
    fi
    eval "${spec% cargo} -F _cargo__dbmigrate_after_cargo cargo"
}

_cargo__dbmigrate_after_cargo() {
    local at=1
    # `cargo +nightly --quiet dbmigrate`
    while [[ ${at} -lt ${COMP_CWORD} && "${COMP_WORDS[at]}" == [-+]* ]]; do
        at=$((at + 1))
    done
    if [[ ${at} -lt ${COMP_CWORD} && "${COMP_WORDS[at]}" == dbmigrate ]]; then
        COMP_WORDS=(cargo-dbmigrate "${COMP_WORDS[@]:at+1}")
        COMP_CWORD=$((COMP_CWORD - at))
        _cargo__dbmigrate cargo-dbmigrate "$2" "$3"
        return
    fi
    if [[ -z "${_cargo__dbmigrate_cargo}" ]]; then
        # Cargo's own is loaded when it is asked for the first time, and registers itself.
        if declare -F _comp_load >/dev/null; then
            _comp_load cargo
        elif declare -F __load_completion >/dev/null; then
            __load_completion cargo
        fi
        _cargo__dbmigrate_register
    fi
    if [[ -n "${_cargo__dbmigrate_cargo}" ]]; then
        "${_cargo__dbmigrate_cargo}" "$@"
    elif [[ ${at} -eq ${COMP_CWORD} ]]; then
        COMPREPLY=($(compgen -W dbmigrate -- "$2"))
    fi
}

_cargo__dbmigrate_register
