
# The values of the project are asked for.
function __fish_cargo_dbmigrate_values
    set -l line (commandline -opc) (commandline -ct)
    cargo-dbmigrate __complete $line 2>/dev/null
end

complete -c cargo-dbmigrate -k -a "(__fish_cargo_dbmigrate_values)"
