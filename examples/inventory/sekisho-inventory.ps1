# Describes this Windows machine's PCI functions as one line of a Sekisho inventory.
#
#   powershell -ExecutionPolicy Bypass -File sekisho-inventory.ps1 > desk-1.json
#
# No administrator is needed. Windows does not tell the header type; it is inferred from the class (bridges have type 1,
# CardBus bridges type 2) and from how many functions a device has. Functions of other PCI segments are left out.
# The result is UTF-8 without a byte order mark where PowerShell 7 writes it; of Windows PowerShell 5.1, pass it through
# `Set-Content -Encoding Ascii`.
$ErrorActionPreference = 'Stop'

$devices = foreach ($device in Get-PnpDevice -PresentOnly -InstanceId 'PCI\*') {
    # PCI\VEN_8086&DEV_9D03&SUBSYS_225D17AA&REV_21\...
    if ($device.InstanceId -notmatch 'VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})&SUBSYS_([0-9A-F]{4})([0-9A-F]{4})&REV_([0-9A-F]{2})') { continue }
    $vendor, $id, $subDevice, $subVendor, $revision = $Matches[1..5]

    $property = @{}
    Get-PnpDeviceProperty -InstanceId $device.InstanceId -KeyName `
        'DEVPKEY_Device_BusNumber', 'DEVPKEY_Device_Address', 'DEVPKEY_Device_HardwareIds' |
        ForEach-Object { $property[$_.KeyName] = $_.Data }
    $bus = [uint32]$property['DEVPKEY_Device_BusNumber']
    $address = [uint32]$property['DEVPKEY_Device_Address']
    # The high half is the segment; the address has the device in its upper and the function in its lower 16 bits.
    if (($bus -shr 8) -ne 0) { continue }

    $class = ($property['DEVPKEY_Device_HardwareIds'] | Select-String -Pattern 'CC_([0-9A-F]{6})').Matches
    if (-not $class) { continue }
    $classCode = $class[0].Groups[1].Value.ToLower()

    [pscustomobject]@{
        Place     = '{0:x2}:{1:x2}' -f $bus, ($address -shr 16)
        Function  = $address -band 7
        Vendor    = $vendor.ToLower()
        Device    = $id.ToLower()
        SubVendor = $subVendor.ToLower()
        SubDevice = $subDevice.ToLower()
        Revision  = $revision.ToLower()
        ClassCode = $classCode
    }
}

$count = $devices | Group-Object Place -AsHashTable -AsString
$described = foreach ($device in $devices | Sort-Object Place, Function) {
    $header = switch ($device.ClassCode.Substring(0, 4)) { '0604' { 1 } '0607' { 2 } default { 0 } }
    if (@($count[$device.Place]).Count -gt 1) { $header = $header -bor 0x80 }
    [ordered]@{
        slot        = '{0}.{1}' -f $device.Place, $device.Function
        vendor      = $device.Vendor
        device      = $device.Device
        sub_vendor  = if ($header -band 0x7f) { '0000' } else { $device.SubVendor }
        sub_device  = if ($header -band 0x7f) { '0000' } else { $device.SubDevice }
        revision    = $device.Revision
        class_code  = $device.ClassCode
        header_type = '{0:x2}' -f $header
    }
}

$system = Get-CimInstance Win32_ComputerSystem
[ordered]@{
    machine = $env:COMPUTERNAME.ToLower()
    model   = ('{0} {1}' -f $system.Manufacturer, $system.Model).Trim()
    devices = @($described)
} | ConvertTo-Json -Depth 4 -Compress
