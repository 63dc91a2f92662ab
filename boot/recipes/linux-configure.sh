# Merges the lines of a fragment ($1) over `make tinyconfig`, and fails unless every line of it is
# found in the final .config: what is asked for is on, what is refused is off.
cd linux
make -s tinyconfig
scripts/kconfig/merge_config.sh -m -Q .config "$1"
make -s olddefconfig
missing=0
while read -r line; do
  case $line in
    CONFIG_*)
      grep -qxF -- "$line" .config || { echo "not in .config: $line" >&2; missing=1; }
      ;;
    '# CONFIG_'*' is not set')
      name=${line#\# }
      name=${name%% *}
      ! grep "^$name=" .config >&2 || { echo "in .config all the same: $name" >&2; missing=1; }
      ;;
  esac
done < "$1"
exit "$missing"
