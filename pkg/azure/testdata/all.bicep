// az group create --name kubeflow --location westeurope
// az deployment group create --resource-group kubeflow --template-file FILE \
//   --parameters principalId="$(az ad signed-in-user show --query id -o tsv)"
// Kubeflow 26.03 requests 3.3 CPUs and 8.2 GiB in 52 pods, and 3 volumes with 50 GiB in total; 3 nodes of Standard_D8s_v5 leave 19.2 CPUs and 67.2 GiB for pods
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
    'cost center': 'it\'s \${x}\\'
    'created-by': 'kubectl-kubeflow'
    'kubectl-kubeflow-options': '1584a43fb922cf7e'
    owner: 'ann'
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
        availabilityZones: [
          '1'
          '2'
        ]
        count: 3
        enableAutoScaling: true
        enableNodePublicIP: false
        maxCount: 6
        minCount: 3
        mode: 'System'
        name: 'system'
        orchestratorVersion: '1.35'
        osSKU: 'Ubuntu'
        osType: 'Linux'
        type: 'VirtualMachineScaleSets'
        upgradeSettings: {
          maxSurge: '10%'
        }
        vmSize: 'Standard_D8s_v5'
        vnetSubnetID: '/subscriptions/12345678-90ab-4cde-8f01-234567890abc/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes'
      }
      {
        availabilityZones: [
          '1'
          '2'
        ]
        count: 0
        enableAutoScaling: true
        enableNodePublicIP: false
        gpuProfile: {
          driver: 'Install'
        }
        maxCount: 2
        minCount: 0
        mode: 'User'
        name: 'gpu'
        nodeLabels: {
          'kubernetes.azure.com/scalesetpriority': 'spot'
        }
        nodeTaints: [
          'sku=gpu:NoSchedule'
          'kubernetes.azure.com/scalesetpriority=spot:NoSchedule'
        ]
        orchestratorVersion: '1.35'
        osSKU: 'Ubuntu'
        osType: 'Linux'
        scaleSetEvictionPolicy: 'Delete'
        scaleSetPriority: 'Spot'
        spotMaxPrice: -1
        type: 'VirtualMachineScaleSets'
        vmSize: 'Standard_NC4as_T4_v3'
        vnetSubnetID: '/subscriptions/12345678-90ab-4cde-8f01-234567890abc/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes'
      }
    ]
    apiServerAccessProfile: {
      enablePrivateCluster: true
      privateDNSZone: 'system'
    }
    autoUpgradeProfile: {
      nodeOSUpgradeChannel: 'NodeImage'
      upgradeChannel: 'none'
    }
    dnsPrefix: 'kf-kubeflow-123456'
    enableRBAC: true
    kubernetesVersion: '1.35'
    networkProfile: {
      dnsServiceIP: '172.16.0.10'
      loadBalancerSku: 'standard'
      networkDataplane: 'cilium'
      networkPlugin: 'azure'
      networkPluginMode: 'overlay'
      networkPolicy: 'cilium'
      outboundType: 'loadBalancer'
      podCidr: '10.244.0.0/16'
      serviceCidr: '172.16.0.0/16'
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

// The cluster creates load balancers in the subnet. After the deployment:
// az role assignment create --role 4d97b98b-1d4f-4787-a291-c67834d212e7 --scope /subscriptions/12345678-90ab-4cde-8f01-234567890abc/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes \
//   --assignee-object-id "$(az aks show --resource-group kubeflow --name kf --query identity.principalId -o tsv)" --assignee-principal-type ServicePrincipal
// AKS installs the driver of GPUs, and not NVIDIA's device plugin. After the deployment:
// kubectl kubeflow cluster credentials kf -g kubeflow
// kubectl kubeflow cluster gpu-plugin
