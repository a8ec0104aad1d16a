// az group create --name kubeflow --location westeurope
// az deployment group create --resource-group kubeflow --template-file FILE \
//   --parameters principalId="$(az ad signed-in-user show --query id -o tsv)"
// Kubeflow 26.03 requests 3.3 CPUs and 8.2 GiB in 52 pods, and 3 volumes with 50 GiB in total; 3 nodes of Standard_D4s_v5 leave 9.6 CPUs and 33.6 GiB for pods
targetScope = 'resourceGroup'

@description('The object ID of who administers the cluster')
param principalId string

resource cluster 'Microsoft.ContainerService/managedClusters@2026-04-01' = {
  name: 'kf'
  location: 'westeurope'
  sku: {
    name: 'Base'
    tier: 'Free'
  }
  tags: {
    'created-by': 'kubectl-kubeflow'
    'kubectl-kubeflow-options': '75b33b06a4d79681'
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    aadProfile: {
      enableAzureRBAC: true
      managed: true
    }
    agentPoolProfiles: [
      {
        count: 3
        enableAutoScaling: false
        enableNodePublicIP: false
        mode: 'System'
        name: 'system'
        orchestratorVersion: '1.35'
        osSKU: 'Ubuntu'
        osType: 'Linux'
        type: 'VirtualMachineScaleSets'
        upgradeSettings: {
          maxSurge: '10%'
        }
        vmSize: 'Standard_D4s_v5'
      }
    ]
    autoUpgradeProfile: {
      nodeOSUpgradeChannel: 'NodeImage'
      upgradeChannel: 'none'
    }
    dnsPrefix: 'kf-kubeflow-123456'
    enableRBAC: true
    kubernetesVersion: '1.35'
    networkProfile: {
      dnsServiceIP: '10.0.0.10'
      loadBalancerSku: 'standard'
      networkDataplane: 'cilium'
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkPolicy: 'cilium'
      outboundType: 'loadBalancer'
      podCidr: '10.244.0.0/16'
      serviceCidr: '10.0.0.0/16'
    }
    oidcIssuerProfile: {
      enabled: true
    }
    securityProfile: {
      workloadIdentity: {
        enabled: true
      }
    }
  }
}

resource maintenance 'Microsoft.ContainerService/managedClusters/maintenanceConfigurations@2026-04-01' = {
  parent: cluster
  name: 'aksManagedNodeOSUpgradeSchedule'
  properties: {
    maintenanceWindow: {
      durationHours: 8
      schedule: {
        weekly: {
          dayOfWeek: 'Sunday'
          intervalWeeks: 1
        }
      }
      startTime: '00:00'
      utcOffset: '+00:00'
    }
  }
}

resource admin 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: cluster
  name: guid(cluster.id, principalId, 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b')
  properties: {
    principalId: principalId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b')
  }
}
